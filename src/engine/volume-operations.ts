import type { FilterPair } from '#docker'
import type { VolumeInspect } from '#docker/views'
import type { EngineContext } from './context/context.ts'
import type { CreateVolumeRequest } from './volumes.ts'

/** Volumes: directories that outlive the containers that mount them. */
export class VolumeOperations {
  readonly #context: EngineContext

  constructor(context: EngineContext) {
    this.#context = context
  }

  /** Makes a volume, or returns the one of that name. Without a name it gets one, and counts as anonymous. */
  async create(request?: CreateVolumeRequest): Promise<VolumeInspect> {
    return (await import('./volumes.ts')).createVolume(this.#context, request)
  }

  /** docker's JSON of all volumes, sorted by name. Filters: dangling, driver, label, label!, name. */
  async list(options?: { filters?: readonly FilterPair[] }): Promise<VolumeInspect[]> {
    return (await import('./volumes.ts')).listVolumes(this.#context, options)
  }

  /** docker's JSON of one volume. Throws VOLUME_NOT_FOUND. */
  async inspect(name: string): Promise<VolumeInspect> {
    return (await import('./volumes.ts')).inspectVolume(this.#context, name)
  }

  /**
   * Removes a volume with all its files. Throws CONFLICT while a container mounts it, and VOLUME_NOT_FOUND unless
   * `force` is set.
   */
  async remove(name: string, options?: { force?: boolean }): Promise<void> {
    return (await import('./volumes.ts')).removeVolume(this.#context, name, options)
  }

  /** Removes volumes that no container mounts: anonymous ones or, with `all`, named ones too. `freed` is in bytes. */
  async prune(options?: {
    all?: boolean
    filters?: readonly FilterPair[]
  }): Promise<{ removed: string[]; freed: number }> {
    return (await import('./volumes.ts')).pruneVolumes(this.#context, options)
  }
}
