import { BaleError } from '#base'
import type { ImageSource, RawManifest } from '#image'
import type { Descriptor, Digest } from '#spec'
import type { MetaStore } from '../meta/index.ts'
import type { ObjectStore } from '../objects/index.ts'

/** A repository of this registry, as the registry itself reads it. */
interface RepositorySource extends ImageSource {
  /** A manifest by tag or digest; undefined when there is none. */
  find(reference: string): Promise<RawManifest | undefined>
  /** What refers to a manifest. */
  referrers(digest: Digest): Promise<Descriptor[]>
}

interface RepositoryParts {
  meta: MetaStore
  objects: ObjectStore
  repository: string
}

const MANY = { limit: 500, bytes: 4 * 1024 * 1024 }

/** Reads what is here, whoever may pull it. */
export function repositorySource({ meta, objects, repository }: RepositoryParts): RepositorySource {
  const find = async (reference: string): Promise<RawManifest | undefined> => {
    const by = reference.includes(':') ? { digest: reference as Digest } : { tag: reference }
    const found = await meta.findManifest(repository, by)
    if (!found) return undefined
    const { digest, mediaType, bytes } = found
    return { bytes, descriptor: { digest, mediaType, size: bytes.byteLength } }
  }
  const resolve = async (name: string | undefined) => {
    const found = name === undefined ? undefined : await find(name)
    if (found) return found
    throw new BaleError('MANIFEST_NOT_FOUND', `${repository} has no manifest ${name ?? ''}`)
  }
  return {
    find,
    resolve,
    manifest: async ({ digest }) => (await resolve(digest)).bytes,
    async blob({ digest }, { offset = 0 } = {}) {
      const blob = await meta.findBlob(repository, digest)
      if (!blob) throw new BaleError('BLOB_NOT_FOUND', `${repository} has no blob ${digest}`)
      return objects.read(blob.key, { start: offset })
    },
    async referrers(digest) {
      const found: Descriptor[] = []
      for (let last: string | undefined, more = true; more; last = found.at(-1)?.digest) {
        const page = await meta.listReferrers(repository, digest, { last: last ?? '', ...MANY })
        found.push(...page.descriptors)
        more = page.more
      }
      return found
    },
  }
}
