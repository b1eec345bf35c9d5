import type { CheckReport } from '#build'
import type { FilterPair } from '#docker'
import type { Descriptor, Digest } from '#spec'
import type { BuildImageOptions, CheckBuildOptions } from './build.ts'
import type { EngineContext } from './context/context.ts'

/** Builds from Dockerfiles, and the cache of their steps. */
export class BuildOperations {
  readonly #context: EngineContext

  constructor(context: EngineContext) {
    this.#context = context
  }

  /**
   * Builds an image from a Dockerfile and a context. Without `outputs` the image stays in the store, under the given `tags`; `names` are
   * the full names it got. With `attestations` the `manifest` is an index of the image and what is said of it, else the image's.
   * Steps whose inputs have not changed come from the cache. Needs root. Throws DOCKERFILE_INVALID with the position of the
   * mistake, and BUILD_FAILED with the exit code of the step that failed.
   */
  async build(options: BuildImageOptions): Promise<{ id: Digest; manifest: Descriptor; names: string[] }> {
    return (await import('./build.ts')).buildImage(this.#context, options)
  }

  /**
   * Checks a Dockerfile by BuildKit's rules and builds nothing: all stages, or those that `target` needs. Findings have the rule's
   * name, a message and the numbers of the lines; a Dockerfile that cannot be built at all is an `error` in the report. Of base images
   * that are not in the store only the configuration is fetched. Needs root. Throws PATH_NOT_FOUND when there is no Dockerfile.
   */
  async check(options: CheckBuildOptions): Promise<CheckReport> {
    return (await import('./build.ts')).checkBuild(this.#context, options)
  }

  /**
   * Removes records of the build cache, and the layers that only they held: those that no image is based on or, with `all`,
   * every one. The filter `until` spares what was used since. `freed` is in bytes.
   */
  async prune(options?: {
    all?: boolean
    filters?: readonly FilterPair[]
  }): Promise<{ keys: string[]; freed: number }> {
    return (await import('./prune.ts')).pruneBuildCache(this.#context, options)
  }
}
