import { BaleError, type OperationOptions } from '#base'
import { type BlobStore, createMemoryBlobs, digestMismatch, digestOf, sizeMismatch } from '#blob'
import { algorithmOf, type Descriptor, type Digest, parseManifest } from '#spec'
import type { ImageSource, ImageTarget } from './image-place.ts'

/** A place in memory, for tests and for small images that were never on disk. Keeps every promise of both interfaces. */
export interface MemoryPlace extends ImageSource, ImageTarget {
  readonly blobs: BlobStore
  readonly names: ReadonlyMap<string, Descriptor>
  readonly manifests: ReadonlyMap<Digest, Uint8Array>
}

/** An image source and target in memory. */
export function createMemoryPlace(): MemoryPlace {
  const blobs = createMemoryBlobs()
  const names = new Map<string, Descriptor>()
  const manifests = new Map<Digest, Uint8Array>()
  const types = new Map<Digest, string>()

  function resolveName(name: string | undefined): Descriptor | undefined {
    if (name === undefined) return names.size === 1 ? [...names.values()][0] : undefined
    const bytes = manifests.get(name as Digest)
    if (bytes) return { mediaType: types.get(name as Digest)!, digest: name as Digest, size: bytes.byteLength }
    return names.get(name)
  }

  async function isComplete(digest: Digest): Promise<boolean> {
    const bytes = manifests.get(digest)
    if (!bytes) return false
    const parsed = parseManifest(bytes, types.get(digest))
    if (parsed.kind === 'index') {
      const children = await Promise.all(parsed.index.manifests.map((child) => isComplete(child.digest)))
      return children.every(Boolean)
    }
    const named = [parsed.manifest.config, ...parsed.manifest.layers]
    const there = await Promise.all(named.map(async (blob) => (await blobs.stat(blob.digest)) !== undefined))
    return there.every(Boolean)
  }

  async function has({ digest }: Descriptor): Promise<boolean> {
    return (await isComplete(digest)) || (await blobs.stat(digest)) !== undefined
  }

  return {
    blobs,
    names,
    manifests,
    async resolve(name) {
      const descriptor = resolveName(name)
      if (descriptor) return { descriptor: { ...descriptor }, bytes: manifests.get(descriptor.digest)! }
      throw new BaleError('MANIFEST_NOT_FOUND', `no manifest is named ${name ?? '(the only one)'}`)
    },
    async manifest(descriptor) {
      const bytes = manifests.get(descriptor.digest)
      if (bytes) return bytes
      throw new BaleError('MANIFEST_NOT_FOUND', `no manifest has the digest ${descriptor.digest}`)
    },
    async blob(descriptor, options = {}) {
      return blobs.read(descriptor.digest, { start: options.offset ?? 0 })
    },
    has,
    hold: has,
    async putBlob(descriptor, open, options: OperationOptions = {}) {
      await using writer = await blobs.writer(descriptor.digest, { signal: options.signal })
      const start = writer.offset
      for await (const chunk of await open(writer.offset)) {
        options.signal?.throwIfAborted()
        if (writer.offset + chunk.byteLength > descriptor.size) {
          await writer.discard()
          throw sizeMismatch(descriptor, 'more')
        }
        await writer.write(chunk)
      }
      await writer.commit(descriptor)
      return { how: 'moved', bytes: descriptor.size - start }
    },
    async putManifest(descriptor, bytes) {
      if (bytes.byteLength !== descriptor.size) throw sizeMismatch(descriptor, bytes.byteLength)
      const digest = digestOf(bytes, algorithmOf(descriptor.digest))
      if (digest !== descriptor.digest) throw digestMismatch(descriptor.digest, digest)
      parseManifest(bytes, descriptor.mediaType)
      manifests.set(descriptor.digest, new Uint8Array(bytes))
      types.set(descriptor.digest, descriptor.mediaType)
    },
    async tag(name, { descriptor }) {
      const { mediaType, digest, size } = descriptor
      if (manifests.has(digest)) names.set(name, { mediaType, digest, size })
      else throw new BaleError('MANIFEST_NOT_FOUND', `no manifest has the digest ${digest}`)
    },
  }
}
