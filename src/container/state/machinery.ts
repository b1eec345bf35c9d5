import { join } from 'node:path'
import { type Clock, type Log, noLog, type OperationOptions, systemClock, toldBy } from '#base'
import { acquireLock, randomHex } from '#host/file'
import type { RootfsMounter } from '#rootfs'
import type { Store } from '#store'
import { type Connections, connections } from '../network/index.ts'
import { openRecords, type Records } from '../records/index.ts'
import { openRuntime, type Programs, programs, type Runtime } from '../runtime/index.ts'

/** What all container operations need. */
export interface Machinery {
  readonly store: Store
  /** What the store keeps of containers, networks and volumes, parsed. */
  readonly records: Records
  readonly rootfs: RootfsMounter
  readonly programs: Programs
  readonly networks: Connections
  readonly clock: Clock
  readonly log: Log
  /** Program and arguments that run this bale on this store; empty when there is none (then containers are not restarted). */
  readonly selfCommand: readonly string[]
  /** By name; the default when it is undefined. */
  runtime(name?: string): Promise<Runtime>
}

export interface MachineryOptions {
  store: Store
  rootfs: RootfsMounter
  /** PATH of the caller. */
  path?: string
  /** `runc` or `crun` for containers that do not name one. */
  runtime?: string
  selfCommand?: readonly string[]
  clock?: Clock
  log?: Log
}

export function openMachinery(options: MachineryOptions): Machinery {
  const { store } = options
  const found = programs(options.path)
  const runtimes = new Map<string, Promise<Runtime>>()
  return {
    store,
    records: openRecords(store),
    rootfs: options.rootfs,
    programs: found,
    networks: connections({ store, programs: found, log: options.log }),
    clock: options.clock ?? systemClock,
    log: options.log ?? noLog,
    selfCommand: options.selfCommand ?? [],
    runtime(name = options.runtime) {
      const key = name ?? ''
      const opened =
        runtimes.get(key) ?? openRuntime({ name, programs: found, stateDirectory: join(store.run, 'runtime') })
      runtimes.set(key, opened)
      // What failed may succeed the next time: the disk was full, the directory was gone.
      opened.catch(() => runtimes.delete(key))
      return opened
    },
  }
}

export function newId(): string {
  return randomHex(32)
}

/** The paths of a container. */
export interface ContainerPaths {
  /** Survives a reboot: upper, work, log. */
  directory: string
  upper: string
  work: string
  log: string
  /** Of one life: config.json, sockets, exit code. Short, since a socket's path is. */
  bundle: string
  exits: string
  /** Exists when nobody waits for the container's end any more. */
  alone: string
  /** Exists during a start; holds the identity of the process that starts it. */
  starting: string
  lock: string
}

export function pathsOf({ store }: Pick<Machinery, 'store'>, id: string): ContainerPaths {
  const directory = join(store.root, 'containers', id)
  const bundle = join(store.run, 'c', id.slice(0, 16))
  return {
    directory,
    upper: join(directory, 'upper'),
    work: join(directory, 'work'),
    log: join(directory, 'log'),
    bundle,
    exits: join(bundle, 'x'),
    alone: join(bundle, 'alone'),
    starting: join(bundle, 'starting.json'),
    lock: join(store.run, 'locks', `container-${id}`),
  }
}

/** A container's lock. A wait of more than a few seconds is reported. */
export function lockContainer(
  machinery: Pick<Machinery, 'store' | 'log'>,
  id: string,
  options: OperationOptions = {},
): Promise<AsyncDisposable> {
  return acquireLock(pathsOf(machinery, id).lock, {
    signal: options.signal,
    progress: options.progress ?? toldBy(machinery.log),
    what: `the container ${id.slice(0, 12)}, which another command is changing`,
  })
}
