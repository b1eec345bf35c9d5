import { BaleError } from '#base'
import { sizeMismatch } from '#blob'
import type { ImageTarget, RawManifest } from '#image'
import { type Descriptor, type Digest, isIndexType, isManifestType } from '#spec'
import type { Gate } from '../gate/index.ts'
import { repositorySource } from '../local/index.ts'
import { describeManifest } from '../manifest/index.ts'
import { isReferrerTag, type MetaStore } from '../meta/index.ts'
import type { ObjectStore } from '../objects/index.ts'
import { storeBlob, type Uploads } from '../uploads/index.ts'
import type { End, Going } from './end.ts'

/** What this registry is made of. */
export interface LocalParts {
  meta: MetaStore
  gate: Pick<Gate, 'judgeWhole'>
  objects: ObjectStore
  uploads: Uploads
  /** How long a blob stays that no manifest refers to yet. */
  lease: number
}

interface LocalEndOptions extends Omit<LocalParts, 'gate'> {
  repository: string
  /** Who changes something, for histories and the audit log. */
  actor: string
  going: Going
  /** Throws for what must not leave this registry. */
  release?(digest: Digest): Promise<void>
}

const PAGE = 500

/** A repository of this registry. */
export function localEnd(options: LocalEndOptions): End {
  const { meta, repository, actor, going } = options
  const source = repositorySource(options)
  return {
    source: { ...source, blob: async (blob, how) => counted(await source.blob(blob, how), going) },
    target: localTarget(options),
    current: async (tag) => (await meta.findTag(repository, tag))?.digest,
    async resolve(reference) {
      const found = await source.find(reference)
      if (found) await options.release?.(found.descriptor.digest)
      return found
    },
    checkGone: async () => undefined,
    referrers: source.referrers,
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
