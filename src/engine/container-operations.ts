import type { OperationOptions } from '#base'
import type {
  Containers,
  ExecRequest,
  ProcessTable,
  RemoveOptions,
  Resources,
  RestartOptions,
  RestartPolicy,
  RunningExec,
  StopOptions,
  TerminalSize,
  Usage,
} from '#container'
import type { FilterPair } from '#docker'
import type { ContainerInspect, ContainerRow } from '#docker/views'
import type { Digest } from '#spec'
import type { CommitOptions } from './commit.ts'
import type { ContainerLogs, LogsOptions } from './container-logs.ts'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'
import type { CopyOptions } from './copy-tar.ts'
import type { ContainerRequest } from './create.ts'
import type { ListContainersOptions } from './list-containers.ts'
import type { RunningContainer, RunOptions } from './run.ts'

/**
 * Containers of this machine. `idOrName` is a name, an ID, or an unambiguous beginning of one; every method that takes
 * it throws CONTAINER_NOT_FOUND when no container has it. Containers need root: without it all but `list`, `inspect` and
 * `prune` throw UNSUPPORTED_HOST.
 */
export class ContainerOperations {
  readonly #context: EngineContext

  constructor(context: EngineContext) {
    this.#context = context
  }

  /**
   * Makes a container that does not run yet, from an image of the store or, unless `pull` is `never`, of its registry. Throws
   * CONFLICT when the name is taken, IMAGE_NOT_FOUND, INVALID_ARGUMENT.
   */
  async create(request: ContainerRequest, options?: OperationOptions): Promise<{ id: string; name: string }> {
    return (await import('./create.ts')).createContainer(this.#context, request, options)
  }

  /**
   * Makes a container and starts it. Unless `detach` is set, `attach` of the result has its streams from the first byte
   * on; they must be read. When the start fails, a container that is removed at its end is removed at once. Throws as
   * `create` does, and COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE, RUNTIME_FAILED, NETWORK_SETUP_FAILED.
   */
  async run(request: ContainerRequest, options?: RunOptions): Promise<RunningContainer> {
    return (await import('./run.ts')).runContainer(this.#context, request, options)
  }

  /** Starts an existing container. A running one is left alone, and attached to on request. */
  async start(
    idOrName: string,
    options?: OperationOptions & { attach?: boolean; size?: TerminalSize },
  ): Promise<RunningContainer> {
    return (await import('./start.ts')).startContainer(this.#context, idOrName, options)
  }

  /** Connects to the streams of a running container, from now on. Throws CONTAINER_NOT_RUNNING, and CONFLICT when it is paused. */
  async attach(idOrName: string): Promise<RunningContainer> {
    return (await import('./start.ts')).attachContainer(this.#context, idOrName)
  }

  /** Sends the stop signal, and KILL after `timeout` seconds. A container that does not run is left alone. */
  async stop(idOrName: string, options?: StopOptions): Promise<void> {
    const { lifecycle } = await this.#open()
    await lifecycle.stop(idOrName, options)
  }

  /** Stops a container, if it runs, and starts it again. */
  async restart(idOrName: string, options?: RestartOptions): Promise<void> {
    const { lifecycle } = await this.#open()
    await lifecycle.restart(idOrName, options)
  }

  /** Sends a signal (`TERM`, `SIGHUP`, `9`; KILL by default) to the first process. Throws CONTAINER_NOT_RUNNING. */
  async kill(idOrName: string, signal?: string): Promise<void> {
    return (await import('./kill.ts')).killContainer(this.#context, idOrName, signal)
  }

  /** Freezes all processes of a container. Throws CONTAINER_NOT_RUNNING, and CONFLICT when it is paused already. */
  async pause(idOrName: string): Promise<void> {
    const { lifecycle } = await this.#open()
    await lifecycle.pause(idOrName)
  }

  /** Lets a paused container go on. Throws CONFLICT when it is not paused. */
  async unpause(idOrName: string): Promise<void> {
    const { lifecycle } = await this.#open()
    await lifecycle.unpause(idOrName)
  }

  /** Waits until a container does not run, and returns its exit code. */
  async wait(idOrName: string, options?: { signal?: AbortSignal }): Promise<number> {
    const { lifecycle } = await this.#open()
    return lifecycle.wait(idOrName, options)
  }

  /** Gives a container another name. Throws CONFLICT when a container has it. */
  async rename(idOrName: string, name: string): Promise<void> {
    const { lifecycle } = await this.#open()
    await lifecycle.rename(idOrName, name)
  }

  /** Changes limits and the restart policy; limits of a running container change at once. Returns warnings. */
  async update(idOrName: string, change: { resources?: Resources; restart?: RestartPolicy }): Promise<string[]> {
    const { lifecycle } = await this.#open()
    return lifecycle.update(idOrName, change)
  }

  /**
   * Removes a container with what it has written; `volumes` removes its anonymous volumes too. Throws CONFLICT while it
   * runs, unless `force` kills it first.
   */
  async remove(idOrName: string, options?: RemoveOptions): Promise<void> {
    const { lifecycle } = await this.#open()
    await lifecycle.remove(idOrName, options)
  }

  /**
   * Containers as they are now, newest first: those that run or, with `all`, every one. Filters of one name are
   * alternatives; filters of different names must all match.
   */
  async list(options?: ListContainersOptions): Promise<ContainerRow[]> {
    return (await import('./list-containers.ts')).listContainers(this.#context, options)
  }

  /** docker's JSON of one container; with `size` also the bytes that it has written, and those of its image. */
  async inspect(idOrName: string, options?: { size?: boolean }): Promise<ContainerInspect> {
    return (await import('./inspect-container.ts')).inspectContainer(this.#context, idOrName, options)
  }

  /**
   * Starts one more process in a running container. Dispose the result when the process has ended. Throws
   * CONTAINER_NOT_RUNNING, COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE, and CONFLICT when the container is paused.
   */
  async exec(idOrName: string, request: ExecRequest): Promise<RunningExec> {
    const { exec } = await this.#open()
    return exec.start(idOrName, request)
  }

  /** What a container has written to stdout and stderr, over all its runs; `follow` continues until it ends. */
  async logs(idOrName: string, options?: LogsOptions): Promise<ContainerLogs> {
    return (await import('./container-logs.ts')).containerLogs(this.#context, idOrName, options)
  }

  /** The host's `ps` (`-ef` unless other options are given), only the processes of a container. Throws CONTAINER_NOT_RUNNING. */
  async top(idOrName: string, psOptions?: readonly string[]): Promise<ProcessTable> {
    const { state } = await this.#open()
    return state.processes(idOrName, psOptions)
  }

  /**
   * What running containers use at this moment: bytes, and nanoseconds of CPU since their start. Without names it is all
   * that run. A rate is the difference of two samples.
   */
  async stats(names: readonly string[] = []): Promise<Usage[]> {
    const { state } = await this.#open()
    const running = async () => (await state.list()).filter(({ status }) => status === 'running')
    const wanted = names.length > 0 ? names : (await running()).map(({ record }) => record.id)
    return Promise.all(wanted.map((name) => state.usage(name)))
  }

  /** Resizes a container's terminal. */
  async resize(idOrName: string, size: TerminalSize): Promise<void> {
    const { logs } = await this.#open()
    await logs.resize(idOrName, size)
  }

  /**
   * Copies a file or directory of this machine (an absolute path) into a container, running or not, by the rules of `cp`.
   * Returns the bytes of the tar that was copied. Throws PATH_NOT_FOUND.
   */
  async copyInto(idOrName: string, local: string, path: string, options: CopyOptions = {}): Promise<number> {
    const { files } = await this.#open()
    return files.copyIn(idOrName, local, path, options)
  }

  /**
   * Copies a file or directory of a container, running or not, to this machine (an absolute path), by the rules of `cp`.
   * Returns the bytes of the tar that was copied. Throws PATH_NOT_FOUND.
   */
  async copyFrom(idOrName: string, path: string, local: string, options: CopyOptions = {}): Promise<number> {
    const { files } = await this.#open()
    return files.copyOut(idOrName, path, local, options)
  }

  /** A file or directory of a container as a tar. Throws PATH_NOT_FOUND before the first byte. */
  async readPath(idOrName: string, path: string, options?: { follow?: boolean }): Promise<AsyncIterable<Uint8Array>> {
    const { files } = await this.#open()
    await files.stat(idOrName, path)
    return files.read(idOrName, path, options)
  }

  /** Unpacks a tar, plain or compressed, into a directory of a container. Throws PATH_NOT_FOUND, INVALID_TAR. */
  async writePath(
    idOrName: string,
    directory: string,
    tar: AsyncIterable<Uint8Array>,
    options?: { archive?: boolean; signal?: AbortSignal },
  ): Promise<void> {
    return (await import('./copy-tar.ts')).writeContainerPath(this.#context, idOrName, directory, tar, options)
  }

  /** What a container has added (A), changed (C) and deleted (D) in its file system, sorted by path. */
  async diff(idOrName: string): Promise<{ path: string; kind: 'A' | 'C' | 'D' }[]> {
    const { files } = await this.#open()
    const changes = await files.diff(idOrName)
    // Names are bytes; people see them as text.
    return changes.map(({ path, kind }) => ({ path: Buffer.from(path, 'latin1').toString(), kind }))
  }

  /** All files of a container as one tar. With `reuse` a chunk of it is valid until the next but one is asked for. */
  async export(idOrName: string, options?: { reuse?: boolean }): Promise<AsyncIterable<Uint8Array>> {
    const { files, state } = await this.#open()
    // A wrong name fails here, not at the first byte.
    const { id } = await state.find(idOrName)
    return files.export(id, options)
  }

  /**
   * Makes an image of a container: its image, one more layer with what it has written, and its configuration. The
   * container is paused meanwhile unless `pause` is false.
   */
  async commit(idOrName: string, options?: CommitOptions): Promise<{ id: Digest; name?: string }> {
    return (await import('./commit.ts')).commitContainer(this.#context, idOrName, options)
  }

  /** Removes containers that do not run; returns their IDs, and in `freed` the bytes they held. Filters: until, label, label!. */
  async prune(options?: {
    filters?: readonly FilterPair[]
    signal?: AbortSignal
  }): Promise<{ removed: string[]; freed: number }> {
    return (await import('./list-containers.ts')).pruneContainers(this.#context, options)
  }

  /**
   * The remaining work when a container has ended: its state, mounts, network, restart. Does nothing while it runs. With
   * `exec`, the end of that process is reported and nothing else is done. Called by the monitors of both.
   */
  async cleanup(id: string, options?: { exec?: string; atOnce?: boolean }): Promise<void> {
    return (await import('./cleanup.ts')).cleanupContainer(this.#context, id, options)
  }

  /** Checks the health of a container as long as it runs. Called by its start, in a process of its own. */
  async superviseHealth(id: string, options?: { signal?: AbortSignal }): Promise<void> {
    if (!(await this.#context.existingStore())) return
    const { upkeep } = await this.#open()
    await upkeep.superviseHealth(id, options)
  }

  /** Brings a container's log back below its limit. Called by what watches the size of the log. */
  async rotateLog(id: string): Promise<void> {
    if (!(await this.#context.existingStore())) return
    const { upkeep } = await this.#open()
    await upkeep.rotateLog(id)
  }

  #open(): Promise<Containers> {
    return containerMachinery(this.#context)
  }
}
