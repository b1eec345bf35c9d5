import { statSync } from 'node:fs'
import { BaleError } from '#base'
import { digestMismatch, digestOf, sizeMismatch } from '#blob'
import { isImageManifest } from '#image'
import {
  algorithmOf,
  checkConfigMatches,
  type Descriptor,
  type Digest,
  type ImageManifest,
  isConfigType,
  parseImageConfig,
  parseManifest,
} from '#spec'
import type { Core } from './core.ts'
import { findLayer } from './layers.ts'
import type { Pin, PinKind } from './leases.ts'

export interface DocumentRow {
  digest: Digest
  kind: 'manifest' | 'index' | 'config'
  media_type: string
  size: number
  bytes: Uint8Array
  image: Digest | null
  tagged: number | null
  created: number
}

export function findDocument({ database }: Core, digest: Digest): DocumentRow | undefined {
  return database.get<DocumentRow>('SELECT * FROM documents WHERE digest = ?', digest)
}

export function descriptorOf({ media_type: mediaType, digest, size }: DocumentRow): Descriptor {
  return { mediaType, digest, size }
}

/** Checks bytes in memory against their descriptor. */
export function verifyBytes(descriptor: Pick<Descriptor, 'digest' | 'size'>, bytes: Uint8Array): void {
  if (bytes.byteLength !== descriptor.size) throw sizeMismatch(descriptor, bytes.byteLength)
  const digest = digestOf(bytes, algorithmOf(descriptor.digest))
  if (digest !== descriptor.digest) throw digestMismatch(descriptor.digest, digest)
}

/** A config, held by this store until a manifest refers to it. */
export function insertConfig(core: Core, descriptor: Descriptor, bytes: Uint8Array): void {
  verifyBytes(descriptor, bytes)
  core.database.transaction(() => {
    insertDocument(core, 'config', descriptor, bytes)
    core.session.hold([{ kind: 'document', digest: descriptor.digest }])
  })
}

function insertDocument(
  { database, clock }: Core,
  kind: DocumentRow['kind'],
  { digest, mediaType, size }: Descriptor,
  bytes: Uint8Array,
  image?: Digest,
): void {
  const sql = `INSERT INTO documents (digest, kind, media_type, size, bytes, image, created) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes, image = coalesce(excluded.image, image)`
  database.run(sql, digest, kind, mediaType, size, bytes, image ?? null, clock.now())
}

/**
 * Stores a manifest or index with what it needs, all of which must be there. Throws BLOB_NOT_FOUND when it is not,
 * INVALID_MANIFEST, DIGEST_MISMATCH.
 */
export function insertManifest(core: Core, descriptor: Descriptor, bytes: Uint8Array): void {
  verifyBytes(descriptor, bytes)
  const parsed = parseManifest(bytes, descriptor.mediaType)
  core.database.transaction(() => {
    if (parsed.kind === 'index') {
      insertDocument(core, 'index', { ...descriptor, mediaType: parsed.index.mediaType }, bytes)
      for (const part of parsed.index.manifests) insertEdge(core, descriptor.digest, 'part', part.digest)
      return
    }
    const { manifest } = parsed
    const { needs, image } = needsOf(core, manifest)
    insertDocument(core, 'manifest', { ...descriptor, mediaType: manifest.mediaType }, bytes, image)
    for (const { kind, digest } of needs) {
      if (!isThere(core, { kind, digest })) {
        throw new BaleError('BLOB_NOT_FOUND', `the manifest ${descriptor.digest} needs ${digest}, which is not here`)
      }
      insertEdge(core, descriptor.digest, kind, digest)
    }
    core.session.release(needs)
  })
}

function insertEdge({ database }: Core, parent: Digest, kind: PinKind | 'part', child: Digest): void {
  database.run('INSERT OR IGNORE INTO edges VALUES (?, ?, ?)', parent, kind, child)
}

/** What a manifest holds, and the ID of the image that it is (undefined: an artifact, an attestation). */
function needsOf(core: Core, manifest: ImageManifest): { needs: Pin[]; image?: Digest } {
  const { config, layers } = manifest
  const row = findDocument(core, config.digest)
  const blobs = layers.map((layer): Pin => ({ kind: 'blob', digest: layer.digest }))
  const isDocument = row !== undefined || isConfigType(config.mediaType)
  const configPin: Pin = { kind: isDocument ? 'document' : 'blob', digest: config.digest }
  if (!row || !isImageManifest(manifest)) return { needs: [configPin, ...blobs] }
  const parsed = parseImageConfig(row.bytes)
  checkConfigMatches(manifest, parsed)
  const needs = parsed.rootfs.diff_ids.flatMap((diffId, index): Pin[] => {
    const layer: Pin = { kind: 'layer', digest: diffId }
    // The blob of an uncompressed layer is derived from the layer.
    return layers[index]!.digest === diffId ? [layer] : [layer, blobs[index]!]
  })
  return { needs: [configPin, ...needs], image: config.digest }
}

/** True when row and files are there; whether their bytes are right is found by reading them. */
export function isThere(core: Core, { kind, digest }: Pin): boolean {
  if (kind === 'document') return findDocument(core, digest) !== undefined
  if (kind === 'layer') return findLayer(core, digest) !== undefined
  return findBlob(core, digest) !== undefined
}

export function findBlob({ database, blobs }: Core, digest: Digest): { path: string; size: number } | undefined {
  const row = database.get<{ size: number }>('SELECT size FROM blobs WHERE digest = ?', digest)
  if (!row) return undefined
  const path = blobs.pathOf(digest)
  return fileSize(path) === row.size ? { path, size: row.size } : undefined
}

function fileSize(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}

/** A manifest with all that it needs, an index with all its parts. */
export function isWhole(core: Core, digest: Digest, depth = 0): boolean {
  const row = findDocument(core, digest)
  if (!row || depth > 4) return false
  const edges = core.database.all<{ kind: PinKind | 'part'; child: Digest }>(
    'SELECT kind, child FROM edges WHERE parent = ?',
    digest,
  )
  return edges.every(({ kind, child }) =>
    kind === 'part' ? isWhole(core, child, depth + 1) : isThere(core, { kind, digest: child }),
  )
}
