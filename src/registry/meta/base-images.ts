import { BaleError, printable } from '#base'
import { type Digest, isDigest, isRepository, isTag, parseManifest } from '#spec'
import { type Chain, imageLayers } from '../decide/index.ts'
import { type Sql, text } from './sql.ts'

/** `base/debian:12` or `base/debian@sha256:…`, as the registry itself names an image. INVALID_REFERENCE for others. */
export function parseBase(
  reference: string,
): { repository: string; tag: string } | { repository: string; digest: Digest } {
  const [, repository = '', digest = ''] = /^([^@]+)@(.+)$/.exec(reference) ?? []
  if (isRepository(repository) && isDigest(digest)) return { repository, digest }
  const [, name = '', tag = ''] = /^(.+):([^:]+)$/.exec(reference) ?? []
  if (isRepository(name) && isTag(tag)) return { repository: name, tag }
  throw new BaleError('INVALID_REFERENCE', `not an image of a repository: ${printable(reference, 300)}`, {
    hint: 'for example base/debian:12 or base/debian@sha256:…, without the address of the registry',
  })
}

/** The layers of an image, and of each of its platforms when it is an index; none when it is not there. */
export async function chainsOf(sql: Sql, reference: string): Promise<Chain[]> {
  const base = parseBase(reference)
  const { repository } = base
  const manifest = await ('tag' in base
    ? sql.get(`${BODY} JOIN tags t ON t.manifest_id = m.id WHERE r.name = ? AND t.name = ?`, repository, base.tag)
    : bodyOf(sql, repository, base.digest))
  return manifest ? await chainsWithin(sql, repository, manifest, DEPTH) : []
}

/** Of several images, by what they are called. */
export type Chains = Record<string, Chain[]>

/** The layers of all these at this moment. MANIFEST_NOT_FOUND for a missing one. */
export async function resolveBases(sql: Sql, references: readonly string[]): Promise<Chains> {
  const known: Chains = {}
  for (const reference of references) {
    const chains = await chainsOf(sql, reference)
    if (chains.length === 0) {
      throw new BaleError('MANIFEST_NOT_FOUND', `the registry has no image ${reference} with layers`)
    }
    known[reference] = chains
  }
  return known
}

const BODY = 'SELECT m.body, m.media_type FROM repositories r JOIN manifests m ON m.repo_id = r.id'

/** Indexes may hold indexes, but nobody needs many. */
const DEPTH = 4

const bodyOf = (sql: Sql, repository: string, digest: Digest) =>
  sql.get(`${BODY} WHERE r.name = ? AND m.digest = ?`, repository, digest)

async function chainsWithin(
  sql: Sql,
  repository: string,
  row: Record<string, unknown>,
  depth: number,
): Promise<Chain[]> {
  const parsed = parseManifest(row['body'] as Uint8Array, text(row['media_type']))
  if (parsed.kind === 'manifest') {
    const layers = imageLayers(parsed.manifest)
    return layers.length > 0 ? [layers] : []
  }
  const chains: Chain[] = []
  for (const { digest } of depth > 0 ? parsed.index.manifests : []) {
    const child = await bodyOf(sql, repository, digest)
    if (child) chains.push(...(await chainsWithin(sql, repository, child, depth - 1)))
  }
  return chains
}
