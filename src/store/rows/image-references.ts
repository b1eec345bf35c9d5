import { type Digest, fullName, type ImageName, type RepoDigest } from '#spec'
import type { DocumentRow } from './document-rows.ts'
import { namesOf, repoDigestsOf } from './name-rows.ts'
import type { PinKind } from './pins.ts'
import type { Rows } from './rows.ts'

/** A tag, or a repository at a digest, that leads to an image. */
export type ImageReference =
  | { kind: 'tag'; name: ImageName; target: Digest }
  /** The target is the digest of the name. */
  | { kind: 'digest'; name: RepoDigest; target: Digest }

/** Digests of the manifests of an image, oldest first. */
export function manifestsOf({ database }: Rows, image: Digest): DocumentRow[] {
  return database.all<DocumentRow>('SELECT * FROM documents WHERE image = ? ORDER BY created, rowid', image)
}

/** Indexes that list one of these manifests, directly or through another index. */
export function indexesWith({ database }: Rows, digests: readonly Digest[]): Digest[] {
  const found = new Set<Digest>()
  let next = [...digests]
  while (next.length > 0) {
    const sql = `SELECT parent FROM edges JOIN documents ON digest = parent WHERE edges.kind = 'part' AND child = ?`
    const parents = next.flatMap((digest) => database.all<{ parent: Digest }>(sql, digest).map((row) => row.parent))
    next = parents.filter((parent) => !found.has(parent))
    for (const parent of next) found.add(parent)
  }
  return [...found]
}

/** All names and repository digests that lead to an image, sorted, tags first. */
export function referencesOf(rows: Rows, image: Digest): ImageReference[] {
  const manifests = manifestsOf(rows, image).map((row) => row.digest)
  const targets = [...manifests, ...indexesWith(rows, manifests)]
  const named = targets
    .flatMap((target) => referencesTo(rows, target))
    // An image may have thousands of names: each is put together once.
    .map((reference) => ({ reference, key: `${reference.kind === 'tag' ? 0 : 1}${fullName(reference.name)}` }))
  return named
    .sort(({ key: one }, { key: other }) => (one < other ? -1 : one > other ? 1 : 0))
    .map((one) => one.reference)
}

export function referencesTo(rows: Rows, target: Digest): ImageReference[] {
  return [
    ...namesOf(rows, target).map((name) => ({ kind: 'tag' as const, name, target })),
    ...repoDigestsOf(rows, target).map((name) => ({ kind: 'digest' as const, name, target })),
  ]
}

/** Names (or IDs) of the images that a layer, blob or document belongs to. */
export function imagesNeeding(rows: Rows, kind: PinKind, digest: Digest): string[] {
  const sql = `SELECT DISTINCT image FROM edges JOIN documents ON digest = parent
    WHERE edges.kind = ? AND child = ? AND image IS NOT NULL`
  const found = rows.database.all<{ image: Digest }>(sql, kind, digest)
  return found.flatMap(({ image }) => shownImage(rows, image)).sort()
}

/** Its names, or its ID when it has none. */
export function shownImage(rows: Rows, image: Digest): string[] {
  const names = referencesOf(rows, image).filter(({ kind }) => kind === 'tag')
  return names.length > 0 ? names.map(({ name }) => fullName(name)) : [image]
}
