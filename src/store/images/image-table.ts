import { isBaleError } from '#base'
import type { Descriptor, Digest, ImageConfig, ImageIndex, Platform } from '#spec'
import { normalizePlatform, parseImageConfig, parseManifest } from '#spec'
import { type DocumentRow, descriptorOf, findDocument, manifestsOf, type Rows, referencesOf } from '#store/rows'
import type { StoredImage } from './stored-image.ts'

/** The stored image that a manifest row is; undefined for artifacts, indexes, and when the config is lost. */
export function toImage(rows: Rows, row: DocumentRow): StoredImage | undefined {
  if (row.kind !== 'manifest' || row.image === null) return undefined
  const configRow = findDocument(rows, row.image)
  const parsed = configRow && readDocuments(row, configRow)
  if (!parsed) return undefined
  const { manifest, config } = parsed
  const references = referencesOf(rows, row.image)
  return {
    id: row.image,
    descriptor: descriptorOf(row),
    manifest,
    config,
    rawConfig: configRow.bytes,
    names: references.flatMap((one) => (one.kind === 'tag' ? [one.name] : [])),
    repoDigests: references.flatMap((one) => (one.kind === 'digest' ? [one.name] : [])),
    ...lastTagged(rows, row.image),
    platform: platformOf(config),
    size: contentSize(rows, config),
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

function platformOf(config: ImageConfig): Platform {
  const { os, architecture, variant } = config
  return normalizePlatform({ os, architecture, variant: variant ?? '', 'os.version': config['os.version'] })
}

function lastTagged({ database }: Rows, image: Digest): { lastTagged?: number } {
  const sql = 'SELECT max(tagged) AS tagged FROM documents WHERE image = ?'
  const tagged = database.get<{ tagged: number | null }>(sql, image)?.tagged
  return tagged ? { lastTagged: tagged } : {}
}

function contentSize({ database }: Rows, config: ImageConfig): number {
  const sql = 'SELECT content_size AS size FROM layers WHERE diff_id = ?'
  return config.rootfs.diff_ids.reduce((sum, id) => sum + (database.get<{ size: number }>(sql, id)?.size ?? 0), 0)
}

/** The manifest of an image looked up by ID: the one tagged last, otherwise the newest. */
export function imageById(rows: Rows, image: Digest): StoredImage | undefined {
  const manifests = manifestsOf(rows, image).sort((left, right) => (right.tagged ?? 0) - (left.tagged ?? 0))
  for (const row of manifests) {
    const found = toImage(rows, row)
    if (found) return found
  }
  return undefined
}

export function allImages(rows: Rows): StoredImage[] {
  const sql = 'SELECT DISTINCT image FROM documents WHERE image IS NOT NULL'
  const ids = rows.database.all<{ image: Digest }>(sql).map((row) => row.image)
  const images = ids.map((id) => imageById(rows, id)).filter((image) => image !== undefined)
  return images.sort((left, right) => createdOf(right) - createdOf(left) || (left.id < right.id ? -1 : 1))
}

function createdOf(image: StoredImage): number {
  return image.config.created === undefined ? 0 : Date.parse(image.config.created)
}

/** An index of the store, read. */
export function readIndex(row: DocumentRow): ImageIndex | undefined {
  if (row.kind !== 'index') return undefined
  const parsed = parseManifest(row.bytes, row.media_type)
  return parsed.kind === 'index' ? parsed.index : undefined
}

/** The parts of an index that are here, as documents, in its order. */
export function partsHere(rows: Rows, index: ImageIndex): { entry: Descriptor; row: DocumentRow }[] {
  return index.manifests.flatMap((entry) => {
    const row = findDocument(rows, entry.digest)
    return row ? [{ entry, row }] : []
  })
}
