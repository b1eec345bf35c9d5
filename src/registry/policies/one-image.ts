import { BaleError, printable } from '#base'
import { type Digest, isDigest, isRepository, isTag } from '#spec'
import type { MetaStore } from '../meta/index.ts'

/** One image of a repository, as people name it. */
interface OneImage {
  repository: string
  reference: { tag: string } | { digest: Digest }
}

/** `team/web:1.2` or `team/web@sha256:…`. INVALID_REFERENCE for everything else. */
export function parseOneImage(name: string): OneImage {
  const [, repository = '', digest, tag] = /^([^@:]+)(?:@(.+)|:([^:]+))$/.exec(name) ?? []
  if (isRepository(repository)) {
    if (digest !== undefined && isDigest(digest)) return { repository, reference: { digest } }
    if (tag !== undefined && isTag(tag)) return { repository, reference: { tag } }
  }
  throw new BaleError('INVALID_REFERENCE', `not an image of a repository: ${printable(name, 300)}`, {
    hint: 'for example team/web:1.2 or team/web@sha256:…, without the address of the registry',
  })
}

/** What a name means at this moment. MANIFEST_NOT_FOUND for a tag that is not there; of a digest nothing is looked up. */
export async function digestNamed(meta: MetaStore, { repository, reference }: OneImage): Promise<Digest> {
  if ('digest' in reference) return reference.digest
  const found = await meta.findTag(repository, reference.tag)
  if (found) return found.digest
  throw noSuchImage(`${repository}:${reference.tag}`)
}

export function noSuchImage(name: string): BaleError {
  return new BaleError('MANIFEST_NOT_FOUND', `the registry has no image ${name}`)
}
