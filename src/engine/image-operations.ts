import type { OperationOptions } from '#base'
import type { HistoryRow, ImageInspect, ImageRow, ImageSummary } from '#docker/views'
import type { Digest } from '#spec'
import type { RemovalRecord } from '#store'
import type { EngineContext } from './context/context.ts'
import type { ImportOptions } from './import-image.ts'
import type { ListImagesOptions } from './list-images.ts'
import type { LoadedImage } from './load-images.ts'
import type { ImagesOutput } from './open-images-target.ts'
import type { Pruned, PruneOptions } from './prune.ts'
import type { PulledImage, PullOptions } from './pull.ts'
import type { PushedImage, PushOptions } from './push.ts'

/**
 * Images of the store, and their way in and out. An image is named as docker's users name it: `debian:12`,
 * `localhost:5000/team/web@sha256:…`, or an image ID or the beginning of one.
 */
export class ImageOperations {
  readonly #context: EngineContext

  constructor(context: EngineContext) {
    this.#context = context
  }

  /**
   * Fetches an image, or with `allTags` every tagged image of a repository, from its registry into the store. Layers that
   * the store has are not fetched again. Throws MANIFEST_NOT_FOUND, NO_MATCHING_PLATFORM, UNAUTHORIZED, REGISTRY_UNREACHABLE.
   */
  async pull(name: string, options?: PullOptions): Promise<PulledImage[]> {
    return (await import('./pull.ts')).pullImage(this.#context, name, options)
  }

  /**
   * Sends an image, or with `allTags` every image of a repository, to its registry. Layers that were made here are compressed
   * first, once; what came from a registry goes back byte for byte, under the same digest. Throws IMAGE_NOT_FOUND,
   * UNAUTHORIZED, DENIED, REGISTRY_UNREACHABLE.
   */
  async push(name: string, options?: PushOptions): Promise<PushedImage[]> {
    return (await import('./push.ts')).pushImage(this.#context, name, options)
  }

  /** The images of the store, newest first, in the form of docker's `/images/json`. Sizes are bytes, times seconds since 1970. */
  async list(options?: ListImagesOptions): Promise<ImageSummary[]> {
    return (await import('./list-images.ts')).listImages(this.#context, options)
  }

  /** As `list`, but one row for each name of an image, and one for an image without a name: the lines of `docker images`. */
  async rows(options?: ListImagesOptions & { digests?: boolean }): Promise<ImageRow[]> {
    return (await import('./list-images.ts')).listImageRows(this.#context, options)
  }

  /**
   * docker's JSON of one image. `platform` (`linux/arm64`; this machine's by default) chooses among the images of an
   * index. Throws IMAGE_NOT_FOUND.
   */
  async inspect(name: string, options?: { platform?: string }): Promise<ImageInspect> {
    return (await import('./inspect-image.ts')).inspectImage(this.#context, name, options)
  }

  /** The steps that made an image, newest first, with the bytes each of them added. Throws IMAGE_NOT_FOUND. */
  async history(name: string): Promise<HistoryRow[]> {
    return (await import('./inspect-image.ts')).imageHistory(this.#context, name)
  }

  /**
   * Gives an image one more name. An image that had the name `target` stays in the store without it. Throws
   * IMAGE_NOT_FOUND, INVALID_REFERENCE.
   */
  async tag(source: string, target: string): Promise<void> {
    return (await import('./tag-image.ts')).tagImage(this.#context, source, target)
  }

  /**
   * Removes a name, and the image with the layers that nothing else needs when it was its last name. Returns what was untagged and
   * deleted, in order. Throws IMAGE_NOT_FOUND, and CONFLICT while a container uses the image; `force` removes the
   * image of a stopped one.
   */
  async remove(name: string, options?: { force?: boolean }): Promise<RemovalRecord[]> {
    return (await import('./remove-image.ts')).removeImage(this.#context, name, options)
  }

  /**
   * Writes images to one tar archive that docker, podman and skopeo load, or into an OCI image layout. A name without tag or digest selects all
   * tags of its repository. A file appears under its name only when it is complete. Throws IMAGE_NOT_FOUND before the
   * first byte is written.
   */
  async save(
    names: readonly string[],
    target: ImagesOutput,
    options?: OperationOptions & { platform?: string },
  ): Promise<void> {
    return (await import('./save-images.ts')).saveImages(this.#context, names, target, options)
  }

  /**
   * Loads every image of an archive made by docker, podman, skopeo or bale, plain or compressed. `source` is a path or the
   * bytes themselves. An image of another kind or for other platforms is skipped with a warning, unless it is the only one.
   */
  async load(
    source: string | AsyncIterable<Uint8Array>,
    options?: OperationOptions & { platform?: string },
  ): Promise<LoadedImage[]> {
    return (await import('./load-images.ts')).loadImages(this.#context, source, options)
  }

  /**
   * Makes an image of one layer from a tar of a root filesystem: plain or compressed (gzip, zstd, xz, bzip2); a path, an
   * HTTP(S) URL, or the bytes themselves. Returns the image ID and, when it was named, the full name.
   */
  async import(
    source: string | AsyncIterable<Uint8Array>,
    options?: ImportOptions,
  ): Promise<{ id: Digest; name?: string }> {
    return (await import('./import-image.ts')).importImage(this.#context, source, options)
  }

  /** Removes images that no container uses: those without a name or, with `all`, every one of them. */
  async prune(options?: PruneOptions): Promise<Pruned> {
    return (await import('./prune.ts')).pruneImages(this.#context, options)
  }
}
