import type { OperationOptions } from '#base'
import type { Descriptor, Digest, Platform } from '#spec'

/**
 * A place that images come from: a registry repository, an archive, an OCI layout, this machine's store.
 * One object represents one repository or archive, already opened and authorised. `name` below is what the place
 * itself understands: a tag, a digest, a full name in an archive of several images, undefined for "the only one".
 */
export interface ImageSource {
  /**
   * The manifest or index that a name refers to now, with its bytes: a name may move, so it is resolved once.
   * Throws MANIFEST_NOT_FOUND (or IMAGE_NOT_FOUND from the store).
   */
  resolve(name: string | undefined, options?: OperationOptions): Promise<RawManifest>
  /** Raw bytes of a manifest or index, of at most 4 MiB, with digest and size already verified. */
  manifest(descriptor: Descriptor, options?: OperationOptions): Promise<Uint8Array>
  /**
   * The bytes of a blob from `offset` on. They are NOT verified here: the target hashes them while it writes.
   * Throws BLOB_NOT_FOUND. The caller must consume or `return()` the iterator.
   */
  blob(descriptor: Descriptor, options?: OperationOptions & { offset?: number }): Promise<AsyncIterable<Uint8Array>>
}

/** A manifest or index as it travels: its digest is of these bytes, which the caller checks (`checkedManifest`). */
export interface RawManifest {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/** A place that images go to. All writes verify digest and size, are atomic, and may be repeated. */
export interface ImageTarget {
  /** True when the place has this blob, manifest or index, complete, at this moment. Asks only: changes nothing. */
  has(descriptor: Descriptor, options?: OperationOptions & BlobContext): Promise<boolean>
  /**
   * As `has`, and what is there stays: a collection does not take it before the operation that this target was opened for
   * ends. So it need not be sent again. Where nothing is ever collected it is `has`.
   */
  hold(descriptor: Descriptor, options?: OperationOptions & BlobContext): Promise<boolean>
  /** Writes a blob from a stream that the target may open more than once (retry, resume from an offset). */
  putBlob(
    descriptor: Descriptor,
    open: (offset: number) => Promise<AsyncIterable<Uint8Array>>,
    options?: OperationOptions & BlobContext,
  ): Promise<BlobOutcome>
  /** Writes a manifest or index after all that it refers to. */
  putManifest(descriptor: Descriptor, bytes: Uint8Array, options?: OperationOptions): Promise<void>
  /** Points a name of the place at a manifest or index that it holds. */
  tag(name: string, manifest: RawManifest, options?: OperationOptions): Promise<void>
  /** Ends a series of writes (an archive writes its index here; others do nothing). */
  finish?(options?: OperationOptions): Promise<void>
}

/** How a blob came to be in a target. */
export type BlobOutcome =
  /** Through the stream: so many bytes of it, fewer than its size when an earlier transfer had left a part. */
  | { how: 'moved'; bytes: number }
  /** The target read it from a local file of the source by itself. */
  | { how: 'shared' }
  /** It was present already, or another process added it meanwhile. */
  | { how: 'existed' }
  /** The registry linked it from another repository of its own. */
  | { how: 'mounted'; from: string }

/** Optional power of a target: it takes a blob that is still being made, whose digest and size nobody knows yet. */
export interface TakesBlobsAhead {
  /** Undefined where that is not possible now: the blob is then sent when it is whole. Throws UNAUTHORIZED or DENIED. */
  putBlobAhead(options?: OperationOptions): Promise<BlobAhead | undefined>
}

/** The way of one such blob. Disposing it before it is `named` gives it up. */
export interface BlobAhead extends Disposable {
  /** Starts sending, without waiting for it. The bytes may come slowly. */
  send(bytes: AsyncIterable<Uint8Array>): void
  /** The bytes have turned out to be this blob. It is in the target when `putBlob` of it has ended. */
  named(descriptor: Descriptor): void
}

/** What the mover of images knows of a blob and a target may use. */
export interface BlobContext {
  /** True for the config of an image, whatever media type its descriptor has. */
  isImageConfig?: boolean
  /** Set for a layer: the digest of its uncompressed tar according to the config; the target verifies it. */
  diffId?: Digest
  /** The source, for powers that both ends share (a local file to copy, a mount across repositories of one registry). */
  from?: ImageSource
}

/** Optional power of a source: the blob's bytes are in a local file that a worker can read directly. */
export interface LocalFiles {
  localFile(descriptor: Descriptor): Promise<{ path: string; offset: number; size: number } | undefined>
}

/** Whether a source can name the files that hold its blobs. */
export function hasLocalFiles(place: object | undefined): place is LocalFiles {
  return place !== undefined && typeof (place as LocalFiles).localFile === 'function'
}

/** Optional power of a registry source: where it is, so that a target in the same registry can mount blobs. */
export interface RegistryPlace {
  readonly registryHost: string
  readonly repository: string
}

/** Whether a source or target is a repository of a registry, so that blobs can be mounted across. */
export function isRegistryPlace(place: object | undefined): place is RegistryPlace {
  return place !== undefined && typeof (place as RegistryPlace).registryHost === 'string'
}

/** Which parts of an index are copied. */
export interface CopySelection {
  /** Platforms in order of preference for one image (`[host platform]`), or undefined with `all`. */
  platform?: Platform
  /** Every manifest of an index, and the index itself. */
  all?: boolean
}
