import { BaleError, printable } from '#base'
import { choosePlatform, imagesOf } from '#image'
import {
  type Descriptor,
  type Digest,
  familiarName,
  type ImageName,
  imageName,
  isDigest,
  type Platform,
  parseReference,
  type Reference,
  type RepoDigest,
  withDefaultTag,
  withDigest,
} from '#spec'
import { type DocumentRow, descriptorOf, findDocument, isOfRepository, type Rows, targetOfName } from '#store/rows'
import type { FoundImage } from './found-image.ts'
import { imageById, partsHere, readIndex, toImage } from './image-table.ts'
import type { StoredImage } from './stored-image.ts'

/** What a text names, before an image is chosen from an index. */
interface FoundTarget {
  target: Descriptor
  /** With a tag or a digest. */
  name?: ImageName | RepoDigest
  /** Given by ID (config, manifest or index digest, or a prefix), not by a name. */
  byId: boolean
}

/** Names win over ID prefixes, as in docker. Throws IMAGE_NOT_FOUND, AMBIGUOUS_ID, INVALID_REFERENCE. */
export function findTarget(rows: Rows, text: string | Reference): FoundTarget {
  if (typeof text === 'object') return byName(rows, text) ?? fail(shownName(text))
  const whole = /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text
  if (isDigest(whole)) {
    const target = targetOf(rows, whole)
    if (target) return { target, byId: true }
    throw notFound(whole)
  }
  const prefix = /^(?:sha256:)?([0-9a-f]{1,63})$/.exec(text)?.[1]
  if (text.startsWith('sha256:') && prefix) return byPrefix(rows, prefix) ?? fail(text)
  const reference = parseReference(text)
  return byName(rows, reference) ?? (prefix ? byPrefix(rows, prefix) : undefined) ?? fail(shownName(reference))
}

function fail(shown: string): never {
  throw notFound(shown)
}

const shownName = (reference: Reference) => familiarName(withDefaultTag(reference))

export function notFound(shown: string): BaleError {
  return new BaleError('IMAGE_NOT_FOUND', `No such image: ${printable(shown, 300)}`, {
    next: { act: 'pull' },
  })
}

/** By a digest of any kind. */
function targetOf(rows: Rows, digest: Digest): Descriptor | undefined {
  const row = findDocument(rows, digest)
  if (!row) return undefined
  return row.kind === 'config' ? imageById(rows, digest)?.descriptor : descriptorOf(row)
}

function byName(rows: Rows, reference: Reference): FoundTarget | undefined {
  if (reference.digest) {
    const name = withDigest(reference, reference.digest)
    const target = isOfRepository(rows, name) ? targetOf(rows, name.digest) : undefined
    return target && { target, name, byId: false }
  }
  const name = imageName(reference)
  const digest = targetOfName(rows, name)
  const target = digest && targetOf(rows, digest)
  return target && { target, name, byId: false }
}

/** Config, manifest and index digests count; two digests of one image are one. */
function byPrefix(rows: Rows, prefix: string): FoundTarget | undefined {
  const sql = `SELECT * FROM documents WHERE digest >= ?1 AND digest < ?1 || 'g'`
  const found = rows.database.all<DocumentRow>(sql, `sha256:${prefix}`)
  const ids = new Map<Digest, DocumentRow>()
  for (const row of found) {
    if (row.kind === 'config' && !imageById(rows, row.digest)) continue
    ids.set(row.kind === 'manifest' ? (row.image ?? row.digest) : row.digest, row)
  }
  if (ids.size > 1) {
    throw new BaleError('AMBIGUOUS_ID', `the ID ${prefix} matches ${ids.size} images`, {
      hint: 'give more digits',
      details: { ids: [...ids.keys()] },
    })
  }
  const [only] = ids.values()
  const target = only && targetOf(rows, only.digest)
  return target && { target, byId: true }
}

export function findImage(rows: Rows, text: string | Reference, platform?: Platform): FoundImage {
  const { target, name, byId } = findTarget(rows, text)
  const image = chooseImage(rows, findDocument(rows, target.digest)!, platform)
  if (!image) throw notFound(typeof text === 'object' ? shownName(text) : text)
  return { image, target, byId, ...(name ? { name } : {}) }
}

/** The image that a manifest is, or the best of those parts of an index that are here. */
export function chooseImage(rows: Rows, row: DocumentRow, platform?: Platform, depth = 0): StoredImage | undefined {
  const index = readIndex(row)
  if (!index) return toImage(rows, row)
  const here = new Set(partsHere(rows, index).map(({ entry }) => entry.digest))
  const present = { ...index, manifests: imagesOf(index).filter((entry) => here.has(entry.digest)) }
  const entry = platform ? choosePlatform(present, platform) : present.manifests[0]
  if (!entry || depth > 4) return undefined
  return chooseImage(rows, findDocument(rows, entry.digest)!, platform, depth + 1)
}
