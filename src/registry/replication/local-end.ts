import { BaleError } from '#base'
import { sizeMismatch } from '#blob'
import type { ImageSource, ImageTarget, RawManifest } from '#image'
import { type Descriptor, type Digest, isIndexType, isManifestType } from '#spec'
import { describeManifest } from '../manifest/index.ts'
import { isReferrerTag, type MetaStore } from '../meta/index.ts'
import type { ObjectStore } from '../objects/index.ts'
import { storeBlob, type Uploads } from '../uploads/index.ts'
import type { End, Going } from './end.ts'

/** What this registry is made of. */
export interface LocalParts {
  meta: MetaStore
  objects: ObjectStore
  uploads: Uploads
  /** How long a blob stays that no manifest refers to yet. */
  lease: number
}

interface LocalEndOptions extends LocalParts {
  repository: string
  /** Who changes something, for histories and the audit log. */
  actor: string
  going: Going
}

const PAGE = 500
const MANY = { limit: PAGE, bytes: 4 * 1024 * 1024 }

/** A repository of this registry. */
export function localEnd(options: LocalEndOptions): End {
  const { meta, repository, actor } = options
  return {
    source: localSource(options),
    target: localTarget(options),
    current: async (tag) => (await meta.findTag(repository, tag))?.digest,
    resolve: (reference) => findManifest(options, reference),
    checkGone: async () => undefined,
    async referrers(digest) {
      const found: Descriptor[] = []
      for (let last: string | undefined, more = true; more; last = found.at(-1)?.digest) {
        const page = await meta.listReferrers(repository, digest, { last: last ?? '', ...MANY })
        found.push(...page.descriptors)
        more = page.more
      }
      return found
    },
    async referrerTags(digest) {
      const prefix = digest.replace(':', '-')
      const page = (await meta.listTags(repository, { last: `${prefix}.`, limit: PAGE })) ?? []
      return page.filter((tag) => tag.startsWith(`${prefix}.`) && isReferrerTag(tag))
    },
    // They are found by what their manifests say.
    listReferrers: async () => undefined,
    deleteTag: (tag) => meta.deleteTag(repository, tag, actor),
  }
}

async function findManifest(
  { meta, repository }: LocalEndOptions,
  reference: string,
): Promise<RawManifest | undefined> {
  const by = reference.includes(':') ? { digest: reference as Digest } : { tag: reference }
  const found = await meta.findManifest(repository, by)
  if (!found) return undefined
  const { digest, mediaType, bytes } = found
  return { bytes, descriptor: { digest, mediaType, size: bytes.byteLength } }
}

function localSource(options: LocalEndOptions): ImageSource {
  const { meta, objects, repository, going } = options
  const resolve = async (name: string | undefined) => {
    const found = name === undefined ? undefined : await findManifest(options, name)
    if (found) return found
    throw new BaleError('MANIFEST_NOT_FOUND', `${repository} has no manifest ${name ?? ''}`)
  }
  return {
    resolve,
    manifest: async ({ digest }) => (await resolve(digest)).bytes,
    async blob({ digest }, { offset = 0 } = {}) {
      const blob = await meta.findBlob(repository, digest)
      if (!blob) throw new BaleError('BLOB_NOT_FOUND', `${repository} has no blob ${digest}`)
      return counted(objects.read(blob.key, { start: offset }), going)
    },
  }
}

/** What comes is judged as a push: TAG_IMMUTABLE, POLICY_VIOLATED, QUOTA_EXCEEDED, REPOSITORY_MOVED. */
function localTarget(options: LocalEndOptions): ImageTarget {
  const { meta, objects, uploads, repository, actor, lease, going } = options
  const has = async ({ digest, mediaType }: Descriptor) => {
    if (isIndexType(mediaType) || isManifestType(mediaType)) {
      return (await meta.findManifest(repository, { digest })) !== undefined
    }
    const blob = await meta.findBlob(repository, digest, { lease })
    return blob !== undefined && (await objects.size(blob.key)) === blob.size
  }
  const put = async ({ descriptor: { digest, mediaType }, bytes }: RawManifest, tags: string[]) => {
    const manifest = describeManifest(bytes, { digest, announced: mediaType, tags, actor })
    const objection = await meta.putManifest(repository, manifest)
    if (!objection) return
    if ('missing' in objection) {
      throw new BaleError('BLOB_NOT_FOUND', `${objection.missing} went while the manifest ${digest} came`)
    }
    throw new BaleError('INVALID_MANIFEST', `the manifest ${digest} gives a wrong size for ${objection.wrongSize}`)
  }
  return {
    has,
    hold: has,
    async putBlob(descriptor, open) {
      const { digest, size } = descriptor
      await storeBlob(uploads, { repository, principal: actor, digest }, async () => bounded(await open(0), descriptor))
      going.moved.blobs++
      return { how: 'moved', bytes: size }
    },
    putManifest: (descriptor, bytes) => put({ descriptor, bytes }, []),
    tag: (name, manifest) => put(manifest, [name]),
  }
}

/** Counts what is read for the other end. */
export async function* counted(
  stream: AsyncIterable<Uint8Array>,
  { moved, signal }: Going,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    signal.throwIfAborted()
    moved.bytes += chunk.byteLength
    yield chunk
  }
}

/** Whoever sends more than the manifest says sends no blob of it. */
async function* bounded(stream: AsyncIterable<Uint8Array>, descriptor: Descriptor): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of stream) {
    size += chunk.byteLength
    if (size > descriptor.size) throw sizeMismatch(descriptor, 'more')
    yield chunk
  }
}
