import type { OperationOptions } from '#base'
import type { PolicyResult, StopOptions } from '#container'
import type { EventMessage } from '#docker'
import type { Finding } from '#store'
import type { EngineContext } from './context/context.ts'
import type { SystemUsage } from './disk-usage.ts'
import type { EventsOptions } from './events.ts'
import type { SecurityInformation, SystemInformation, VersionInformation } from './information.ts'
import type { PrunedPart, PruneSystemOptions } from './prune-system.ts'

/** The machine and the store as a whole. */
export class SystemOperations {
  readonly #context: EngineContext

  constructor(context: EngineContext) {
    this.#context = context
  }

  /** What this machine and its store are, with the members of docker's `/info`. Memory is in bytes. */
  async info(): Promise<SystemInformation> {
    return (await import('./information.ts')).information(this.#context)
  }

  /** Versions of bale, of Node and of the programs that bale calls. */
  async version(): Promise<VersionInformation> {
    return (await import('./information.ts')).version(this.#context)
  }

  /** What separates containers from the machine (seccomp, AppArmor), and the known weaknesses of the installed runtimes. */
  async security(): Promise<SecurityInformation> {
    return (await import('./information.ts')).securityInformation(this.#context)
  }

  /**
   * What happens to containers, images, networks and volumes, whichever process does it, as docker's messages. With `since`
   * what happened from then on comes first. Ends at `until`, or when `signal` is aborted.
   */
  async events(options?: EventsOptions): Promise<AsyncIterable<EventMessage>> {
    return (await import('./events.ts')).events(this.#context, options)
  }

  /** Bytes on disk of images, containers, volumes and build cache, and what of them could be freed. */
  async df(): Promise<SystemUsage> {
    return (await import('./disk-usage.ts')).diskUsage(this.#context)
  }

  /**
   * Reads everything in the store and compares it with its digest; `quick` compares sizes only. With `repair`, what is
   * damaged is removed, so that the next pull fetches it again.
   */
  async check(options?: OperationOptions & { repair?: boolean; quick?: boolean }): Promise<Finding[]> {
    return (await this.#context.store()).check(options)
  }

  /**
   * Removes what nothing uses: stopped containers, networks, with `volumes` anonymous volumes, images, build cache, and
   * what `gc` removes. Works while it is iterated, one kind after the other.
   */
  async prune(options?: PruneSystemOptions): Promise<AsyncIterable<PrunedPart>> {
    return (await import('./prune-system.ts')).pruneSystem(this.#context, options)
  }

  /** Removes what crashed processes left and what nothing refers to. `removed` counts objects, `freed` is in bytes. */
  async gc(): Promise<{ removed: number; freed: number }> {
    return (await import('./prune.ts')).collectGarbage(this.#context)
  }

  /** Starts containers according to their restart policy after a boot; running ones are left alone. */
  async start(): Promise<PolicyResult> {
    return (await import('./start-by-policy.ts')).startByPolicy(this.#context)
  }

  /** Stops all containers before the machine is switched off; `start` brings back those with a restart policy. */
  async stop(options?: StopOptions): Promise<PolicyResult> {
    const { containerMachinery } = await import('./container-machinery.ts')
    return (await containerMachinery(this.#context)).upkeep.stopForShutdown(options)
  }

  /** Gives every byte of a terminal (a file descriptor) to the attached process, until the result is disposed. */
  async rawTerminal(fd: number): Promise<Disposable> {
    return (await import('#host')).rawTerminal(fd)
  }
}
