import type { Recovery } from '#base'
import {
  copyFromContainer,
  copyIntoContainer,
  readContainerPath,
  statContainerPath,
  writeContainerPath,
} from './copy/index.ts'
import {
  addNetwork,
  allNetworks,
  announceExecEnd,
  attachContainer,
  awaitRemoval,
  cleanupContainer,
  connectedContainers,
  connectNetwork,
  containerDiff,
  containerOutput,
  containerProcesses,
  containerUsage,
  createContainer,
  disconnectNetwork,
  execContainer,
  exitOf,
  exportContainer,
  findExec,
  killContainer,
  leaveContainerAlone,
  networkOf,
  pauseContainer,
  pruneContainers,
  pruneNetworks,
  removeContainer,
  removeNetwork,
  renameContainer,
  resizeContainer,
  restartContainer,
  rotateContainerLog,
  runningExecs,
  startByPolicy,
  startContainer,
  startOnceAfterBoot,
  stopContainer,
  stopForShutdown,
  storeOwnLayer,
  superviseHealth,
  sweepContainers,
  takeDownIdleNetworks,
  theDefaultNetwork,
  unpauseContainer,
  updateContainer,
  usedNetworks,
  waitContainer,
  writtenSize,
} from './manager/index.ts'
import { createStepRunner, sweepSteps } from './process/index.ts'
import {
  findContainer,
  type Machinery,
  type MachineryOptions,
  openMachinery,
  pathsOf,
  seeAll,
  seeContainer,
} from './state/index.ts'
import { createVolume, findVolume, listVolumes, pruneVolumes, removeVolume, volumeUsers } from './volume/index.ts'

/** The operations on the containers of one store. Holds nothing open: there is nothing to dispose. */
export interface Containers {
  readonly lifecycle: ContainerLifecycle
  readonly state: ContainerStates
  readonly files: ContainerFiles
  readonly exec: ContainerExecs
  readonly logs: ContainerLogs
  readonly networks: Networks
  readonly volumes: Volumes
  readonly steps: Steps
  readonly upkeep: Upkeep
}

type OpenContainersOptions = MachineryOptions

/** Opens the containers, networks and volumes of a store. Nothing is read or started yet. */
export function openContainers(parts: OpenContainersOptions): Containers {
  return containersOn(openMachinery(parts), parts)
}

/** As `openContainers`, on machinery that is open already. */
export function containersOn(machinery: Machinery, parts: Pick<MachineryOptions, 'path' | 'runtime'> = {}): Containers {
  return {
    lifecycle: lifecycle(machinery),
    state: states(machinery),
    files: files(machinery),
    exec: execs(machinery),
    logs: logs(machinery),
    networks: networks(machinery),
    volumes: volumes(machinery),
    steps: steps(machinery, parts),
    upkeep: upkeep(machinery),
  }
}

/** Offers an operation of this room without its first parameter. */
function on(machinery: Machinery) {
  return <A extends unknown[], R>(act: (machinery: Machinery, ...args: A) => R) =>
    (...args: A): R =>
      act(machinery, ...args)
}

/** Makes, starts, stops, changes and removes containers. `idOrName` is a name, an ID or a unique prefix of one. */
type ContainerLifecycle = ReturnType<typeof lifecycle>

function lifecycle(machinery: Machinery) {
  const offer = on(machinery)
  return {
    /** Makes a container: its own layer, its volumes, its record. Nothing runs yet; a failure undoes what was made. */
    create: offer(createContainer),
    /** Starts a container; one that runs is left alone. After a failure all is undone and the record holds the reason. */
    start: offer(startContainer),
    /** The stop signal, and KILL after the timeout (seconds). False for one that did not run. */
    stop: offer(stopContainer),
    /** Stops (if it runs) and starts. One that is removed at its end (--rm) stays. */
    restart: offer(restartContainer),
    /** Sends a signal, KILL by default. Throws CONTAINER_NOT_RUNNING. */
    kill: offer(killContainer),
    /** Freezes all processes. Throws CONFLICT when they are frozen already, CONTAINER_NOT_RUNNING. */
    pause: offer(pauseContainer),
    /** Thaws what `pause` froze. Throws CONFLICT when it is not paused. */
    unpause: offer(unpauseContainer),
    /** Waits until a container does not run, and gives its exit code; 0 at once for one that never ran. */
    wait: offer(waitContainer),
    /** The exit code of the life that this monitor watches, also when the container is removed or restarted meanwhile. */
    exitOf: offer(exitOf),
    /** The caller that started a container `attended` no longer waits for it: its monitor cleans up. */
    leaveAlone: offer(leaveContainerAlone),
    /** Returns when a container that ended and was to be removed at its end (--rm) is gone with all that was its. */
    awaitRemoval: offer(awaitRemoval),
    /** Gives a container another name, on its networks too. Throws CONFLICT when it is taken. */
    rename: offer(renameContainer),
    /** Changes limits (at once, when it runs) and the restart policy. Returns warnings. */
    update: offer(updateContainer),
    /** Removes a container with its own layer. Throws CONFLICT while it runs, unless `force` is set. */
    remove: offer(removeContainer),
    /** Removes containers that do not run; returns their IDs and the bytes of their own layers. */
    prune: offer(pruneContainers),
  }
}

/** What containers are and do now: read from the machine, never remembered. */
type ContainerStates = ReturnType<typeof states>

function states(machinery: Machinery) {
  const offer = on(machinery)
  return {
    /** The record. Throws CONTAINER_NOT_FOUND. */
    find: offer(findContainer),
    /** The record and what the container does now. Throws CONTAINER_NOT_FOUND. */
    see: offer(seeContainer),
    /** All containers as `see` gives them, newest first, without those that are being removed. */
    list: offer(seeAll),
    /** Where a container's files are, by its full ID. */
    paths: offer(pathsOf),
    /** Bytes that a container has written to its own layer, by its full ID. */
    writtenSize: offer(writtenSize),
    /** The machine's `ps` with these options, only the lines of the container's processes. */
    processes: offer(containerProcesses),
    /** What a running container uses now. Throws CONTAINER_NOT_RUNNING. */
    usage: offer(containerUsage),
  }
}

/** The files of a container, running or not. */
type ContainerFiles = ReturnType<typeof files>

function files(machinery: Machinery) {
  const offer = on(machinery)
  return {
    /** Facts about the file at a path. Throws PATH_NOT_FOUND. */
    stat: offer(statContainerPath),
    /** A path as a tar; its names begin with the path's base name (`.` for `/x/.`). */
    read: offer(readContainerPath),
    /** Unpacks a tar into a directory that exists. Throws PATH_NOT_FOUND, CONFLICT where it is read-only. */
    write: offer(writeContainerPath),
    /** Copies a path of this machine into a container. Returns the bytes of the tar. */
    copyIn: offer(copyIntoContainer),
    /** Copies a path of a container to this machine. Returns the bytes of the tar. */
    copyOut: offer(copyFromContainer),
    /** What a container has added (A), changed (C) and deleted (D), sorted by path; names are latin1. */
    diff: offer(containerDiff),
    /** All files as one tar; where a directory is mounted it is empty. */
    export: offer(exportContainer),
    /** Stores what a container has written as a layer. A running one is frozen meanwhile, unless `pause` is false. */
    storeLayer: offer(storeOwnLayer),
  }
}

/** Additional processes in running containers. */
type ContainerExecs = ReturnType<typeof execs>

function execs(machinery: Machinery) {
  const offer = on(machinery)
  return {
    /** Starts a process. Throws CONTAINER_NOT_RUNNING, COMMAND_NOT_FOUND and the like. Dispose the result at its end. */
    start: offer(execContainer),
    /** One by its full ID, and what it does now. Throws EXEC_NOT_FOUND some minutes after its end. */
    find: offer(findExec),
    /** IDs of those that run in a container, by its full ID. */
    running: offer(runningExecs),
  }
}

/** What containers write: their logs, and their streams while they run. */
type ContainerLogs = ReturnType<typeof logs>

function logs(machinery: Machinery) {
  const offer = on(machinery)
  return {
    /** What a container has written over all its lives; with `follow` until it does not run any more. */
    read: offer(containerOutput),
    /** Connects to the standard streams of a running container. Throws CONFLICT for one that does not run. */
    attach: offer(attachContainer),
    /** Sets the size of a running container's terminal. */
    resize: offer(resizeContainer),
  }
}

/** Networks that have a record: `none` and `host` have none. */
type Networks = ReturnType<typeof networks>

function networks(machinery: Machinery) {
  const offer = on(machinery)
  return {
    /** Adds a network. Nothing changes on the machine before the first container joins. */
    create: offer(addNetwork),
    /** The default network, created at its first use. */
    default: offer(theDefaultNetwork),
    /** By name, ID or unique prefix of an ID. Throws NETWORK_NOT_FOUND. */
    find: offer(networkOf),
    /** All of them, the default one included. */
    list: offer(allNetworks),
    /** The running containers on a network. */
    connected: offer(connectedContainers),
    /** IDs of the networks that containers, running or not, ask for. */
    used: offer(usedNetworks),
    /** Puts a container on one more network, at once when it runs. Throws CONFLICT when it is on it, or cannot be. */
    connect: offer(connectNetwork),
    /** Takes a container off a network, at once when it runs. Throws CONFLICT when it is not on it. */
    disconnect: offer(disconnectNetwork),
    /** Removes a network; false for one that is missing, with `force`. Throws CONFLICT while containers are connected. */
    remove: offer(removeNetwork),
    /** Removes networks that no container uses; returns their names. */
    prune: offer(pruneNetworks),
    /** Removes bridges and rules of networks without containers; their records stay. Returns their names. */
    takeDownIdle: offer(takeDownIdleNetworks),
  }
}

/** Named and anonymous volumes. */
type Volumes = ReturnType<typeof volumes>

function volumes(machinery: Machinery) {
  const offer = on(machinery)
  return {
    /** Makes a volume, anonymous without a name. One that has the name already is returned. */
    create: offer(createVolume),
    /** Throws VOLUME_NOT_FOUND. */
    find: offer(findVolume),
    list: offer(listVolumes),
    /** Where a volume's files are on this machine. */
    directory: (name: string): string => machinery.store.volumes.directory(name),
    /** Names of volumes and the IDs of the containers that mount them. */
    users: offer(volumeUsers),
    /** Removes a volume with its data. Throws CONFLICT while a container mounts it. */
    remove: offer(removeVolume),
    /** Removes volumes that no container mounts, only anonymous ones unless `all`; returns names and freed bytes. */
    prune: offer(pruneVolumes),
  }
}

/** Steps of builds: one program in a given root file system, to its end. */
type Steps = ReturnType<typeof steps>

function steps({ store }: Machinery, { path, runtime }: Pick<MachineryOptions, 'path' | 'runtime'>) {
  return {
    /** Runs steps. Dispose it: it takes the default network down when nobody is on it. */
    runner: () => createStepRunner({ store, path, runtime }),
    recovery: {
      sweeps: 'processes, networks and directories of build steps',
      async recover() {
        await sweepSteps({ store, path, runtime })
        return { removed: 0, freed: 0 }
      },
    } satisfies Recovery,
  }
}

/** What monitors, boots and sweeps ask for: not for people. */
type Upkeep = ReturnType<typeof upkeep>

function upkeep(machinery: Machinery) {
  const offer = on(machinery)
  return {
    recovery: {
      sweeps: 'half-made containers, ends that nobody wrote down, directories without a record, idle networks',
      async recover() {
        return { removed: (await sweepContainers(machinery)).length, freed: 0 }
      },
    } satisfies Recovery,
    /** What a container's monitor runs at its end: everything is undone, --rm and the restart policy are obeyed. */
    cleanup: (id: string, options: { linger?: number } = {}): Promise<void> =>
      cleanupContainer(machinery, id, {
        ...options,
        restart: async (again) => void (await startContainer(machinery, again, { restart: true })),
      }),
    /** What the monitor of an exec runs at its end when nobody waits for it: writes the event. */
    announceExecEnd: offer(announceExecEnd),
    /** Checks a running container's health until this life of it ends. */
    superviseHealth: offer(superviseHealth),
    /** Brings the log of a running container back to its limit. */
    rotateLog: offer(rotateContainerLog),
    /** Starts containers according to their restart policy after a boot; running ones are left alone. */
    startByPolicy: offer(startByPolicy),
    /** `startByPolicy` once per boot, by the first caller; undefined when it was done before. */
    startOnceAfterBoot: offer(startOnceAfterBoot),
    /** Stops all containers for the machine's end; `startByPolicy` starts again those with a restart policy. */
    stopForShutdown: offer(stopForShutdown),
  }
}
