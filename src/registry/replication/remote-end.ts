import { BaleError, isBaleError } from '#base'
import { digestOf } from '#blob'
import type { BlobContext, ImageSource, ImageTarget, RegistryPlace } from '#image'
import { type Descriptor, type Digest, encodeDocument, MediaType } from '#spec'
import type { Repository } from '#transport'
import type { End, Going } from './end.ts'
import { counted } from './local-end.ts'

interface RemoteEndOptions {
  repository: Repository
  going: Going
  /** Repositories of the same registry that may hold a blob, by their names there. */
  near(digest: Digest): Promise<string[]>
  /** Whether what this registry does not have of a manifest may be missing. */
  isOptional(descriptor: Descriptor): Promise<boolean>
}

/** Of cosign. */
const SUFFIXES = ['.sig', '.att', '.sbom'] as const

/** A repository of another registry. */
export function remoteEnd(options: RemoteEndOptions): End {
  const { repository, going } = options
  const { signal } = going
  return {
    source: remoteSource(options),
    target: remoteTarget(options),
    current: (tag) => repository.currentDigest(tag, { signal }),
    async resolve(reference) {
      try {
        return await repository.resolve(reference, { signal })
      } catch (error) {
        if (isBaleError(error, 'MANIFEST_NOT_FOUND')) return undefined
        throw error
      }
    },
    async checkGone(tag) {
      for await (const there of repository.tags({ signal })) {
        if (there === tag) throw new BaleError('REGISTRY_FAILED', `${name(options)} lists ${tag}, but does not give it`)
      }
    },
    referrers: (digest) => repository.referrers(digest, { signal }),
    async referrerTags(digest) {
      const names = SUFFIXES.map((suffix) => digest.replace(':', '-') + suffix)
      const there = await Promise.all(names.map((tag) => repository.currentDigest(tag, { signal })))
      return names.filter((_, at) => there[at] !== undefined)
    },
    listReferrers: (digest, referrers) => listReferrers(options, digest, referrers),
    async deleteTag(tag) {
      try {
        await repository.deleteTag(tag, { signal })
        return true
      } catch (error) {
        if (isBaleError(error, 'MANIFEST_NOT_FOUND')) return false
        throw error
      }
    },
  }
}

const name = ({ repository }: RemoteEndOptions) => `${repository.registryHost}/${repository.repository}`

function remoteSource({ repository, going }: RemoteEndOptions): ImageSource {
  return {
    resolve: (reference, more) => repository.resolve(reference, more),
    manifest: (descriptor, more) => repository.manifest(descriptor, more),
    blob: async (descriptor, more) => counted(await repository.blob(descriptor, more), going),
  }
}

function remoteTarget(options: RemoteEndOptions): ImageTarget {
  const { repository, going } = options
  const has: ImageTarget['has'] = async (descriptor, more) =>
    (await repository.has(descriptor, more)) || (await options.isOptional(descriptor))
  return {
    has,
    hold: has,
    async putBlob(descriptor, open, more) {
      const outcome = await repository.putBlob(descriptor, open, {
        ...more,
        from: await mountable(options, descriptor),
      })
      if (outcome.how === 'moved') going.moved.blobs++
      return outcome
    },
    putManifest: (descriptor, bytes, more) => repository.putManifest(descriptor, bytes, more),
    tag: (tag, manifest, more) => repository.tag(tag, manifest, more),
  }
}

/** A repository there that has had the blob from here, so that it is mounted; if it has it no longer, the bytes are sent. */
async function mountable(
  { repository, near }: RemoteEndOptions,
  { digest }: Descriptor,
): Promise<BlobContext['from'] | undefined> {
  const other = (await near(digest)).find((one) => one !== repository.repository)
  if (other === undefined) return undefined
  const place: ImageSource & RegistryPlace = { ...repository, repository: other }
  return place
}

/** A registry without the referrers API has a list under a tag. Source: distribution-spec, "Pushing Manifests with Subject". */
async function listReferrers(
  { repository, going: { signal } }: RemoteEndOptions,
  digest: Digest,
  referrers: readonly Descriptor[],
): Promise<void> {
  const listed = await repository.referrers(digest, { signal })
  const missing = referrers.filter((one) => !listed.some((other) => other.digest === one.digest))
  if (missing.length === 0) return
  const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [...listed, ...missing] }
  const bytes = encodeDocument(index)
  const descriptor = { mediaType: MediaType.ociIndex, digest: digestOf(bytes), size: bytes.byteLength }
  await repository.tag(digest.replace(':', '-').slice(0, 71), { descriptor, bytes }, { signal })
}
