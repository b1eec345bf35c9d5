import { isBaleError } from '#base'
import type { Descriptor, Digest, ImageConfig, ImageIndex, Platform } from '#spec'
import { normalizePlatform, parseImageConfig, parseManifest } from '#spec'
import type { Core } from './core.ts'
import { type DocumentRow, descriptorOf, findDocument } from './documents.ts'
import type { StoredImage } from './stored-image.ts'

/** A tag or a `repository@digest` that leads to an image. */
export interface ImageReference {
  kind: 'tag' | 'digest'
  /** `docker.io/library/debian`. */
  repository: string
  /** `docker.io/library/debian:12`, or with `@sha256:…`. */
  full: string
  /** What it points to: manifest or index. */
  target: Digest
}

/** The stored image that a manifest row is; undefined for artifacts, indexes, and when the config is lost. */
export function toImage(core: Core, row: DocumentRow): StoredImage | undefined {
  if (row.kind !== 'manifest' || row.image === null) return undefined
  const configRow = findDocument(core, row.image)
  const parsed = configRow && readDocuments(row, configRow)
  if (!parsed) return undefined
  const { manifest, config } = parsed
  const references = referencesOf(core, row.image)
  return {
    id: row.image,
    descriptor: descriptorOf(row),
    manifest,
    config,
    rawConfig: configRow.bytes,
    names: references.filter(({ kind }) => kind === 'tag').map(({ full }) => full),
    repoDigests: references.filter(({ kind }) => kind === 'digest').map(({ full }) => full),
    ...lastTagged(core, row.image),
    platform: platformOf(config),
    size: contentSize(core, config),
  }
}

/** Undefined when they cannot be read: one damaged image must not break the list of the others. */
function readDocuments(row: DocumentRow, configRow: DocumentRow) {
  try {
    const parsed = parseManifest(row.bytes, row.media_type)
    if (parsed.kind !== 'manifest') return undefined
    return { manifest: parsed.manifest, config: parseImageConfig(configRow.bytes) }
  } catch (error) {
    if (isBaleError(error)) return undefined
    throw error
  }
}

export function platformOf(config: ImageConfig): Platform {
  const { os, architecture, variant } = config
  return normalizePlatform({ os, architecture, variant: variant ?? '', 'os.version': config['os.version'] })
}

function lastTagged({ database }: Core, image: Digest): { lastTagged?: number } {
  const sql = 'SELECT max(tagged) AS tagged FROM documents WHERE image = ?'
  const tagged = database.get<{ tagged: number | null }>(sql, image)?.tagged
  return tagged ? { lastTagged: tagged } : {}
}

function contentSize({ database }: Core, config: ImageConfig): number {
  const sql = 'SELECT content_size AS size FROM layers WHERE diff_id = ?'
  return config.rootfs.diff_ids.reduce((sum, id) => sum + (database.get<{ size: number }>(sql, id)?.size ?? 0), 0)
}

/** Digests of the manifests of an image, oldest first. */
export function manifestsOf({ database }: Core, image: Digest): DocumentRow[] {
  return database.all<DocumentRow>('SELECT * FROM documents WHERE image = ? ORDER BY created, rowid', image)
}

/** Indexes that list one of these manifests, directly or through another index. */
export function indexesWith({ database }: Core, digests: readonly Digest[]): Digest[] {
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
export function referencesOf(core: Core, image: Digest): ImageReference[] {
  const manifests = manifestsOf(core, image).map((row) => row.digest)
  const targets = [...manifests, ...indexesWith(core, manifests)]
  return targets.flatMap((target) => referencesTo(core, target)).sort(byKindAndName)
}

export function referencesTo({ database }: Core, target: Digest): ImageReference[] {
  const names = database.all<{ name: string }>('SELECT name FROM names WHERE digest = ?', target)
  const sql = 'SELECT repository FROM repo_digests WHERE digest = ?'
  const digests = database.all<{ repository: string }>(sql, target)
  return [
    ...names.map(({ name }): ImageReference => {
      const repository = name.slice(0, name.lastIndexOf(':'))
      return { kind: 'tag', repository, full: name, target }
    }),
    ...digests.map(({ repository }): ImageReference => {
      return { kind: 'digest', repository, full: `${repository}@${target}`, target }
    }),
  ]
}

function byKindAndName(left: ImageReference, right: ImageReference): number {
  if (left.kind !== right.kind) return left.kind === 'tag' ? -1 : 1
  return left.full < right.full ? -1 : left.full > right.full ? 1 : 0
}

/** The manifest that stands for an image when it is asked for by ID: the one that was tagged last, else the newest. */
export function imageById(core: Core, image: Digest): StoredImage | undefined {
  const rows = manifestsOf(core, image).sort((left, right) => (right.tagged ?? 0) - (left.tagged ?? 0))
  for (const row of rows) {
    const found = toImage(core, row)
    if (found) return found
  }
  return undefined
}

export function allImages(core: Core): StoredImage[] {
  const sql = 'SELECT DISTINCT image FROM documents WHERE image IS NOT NULL'
  const ids = core.database.all<{ image: Digest }>(sql).map((row) => row.image)
  const images = ids.map((id) => imageById(core, id)).filter((image) => image !== undefined)
  return images.sort((left, right) => createdOf(right) - createdOf(left) || (left.id < right.id ? -1 : 1))
}

export function createdOf(image: StoredImage): number {
  return image.config.created === undefined ? 0 : Date.parse(image.config.created)
}

/** An index of the store, read. */
export function readIndex(row: DocumentRow): ImageIndex | undefined {
  if (row.kind !== 'index') return undefined
  const parsed = parseManifest(row.bytes, row.media_type)
  return parsed.kind === 'index' ? parsed.index : undefined
}

/** The parts of an index that are here, as documents, in its order. */
export function partsHere(core: Core, index: ImageIndex): { entry: Descriptor; row: DocumentRow }[] {
  return index.manifests.flatMap((entry) => {
    const row = findDocument(core, entry.digest)
    return row ? [{ entry, row }] : []
  })
}
