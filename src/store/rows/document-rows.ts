import type { Descriptor, Digest } from '#spec'
import { findBlob } from './blob-rows.ts'
import { findLayer } from './layer-rows.ts'
import type { Pin, PinKind } from './pins.ts'
import type { Rows } from './rows.ts'

/** A manifest, index or config, kept whole as bytes. */
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

export function findDocument({ database }: Rows, digest: Digest): DocumentRow | undefined {
  return database.get<DocumentRow>('SELECT * FROM documents WHERE digest = ?', digest)
}

export function descriptorOf({ media_type: mediaType, digest, size }: DocumentRow): Descriptor {
  return { mediaType, digest, size }
}

/** Adds a document, or mends its bytes. `image`: the config digest of a manifest that is an image's. */
export function insertDocument(
  { database, clock }: Rows,
  kind: DocumentRow['kind'],
  { digest, mediaType, size }: Descriptor,
  bytes: Uint8Array,
  image?: Digest,
): void {
  const sql = `INSERT INTO documents (digest, kind, media_type, size, bytes, image, created) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes, image = coalesce(excluded.image, image)`
  database.run(sql, digest, kind, mediaType, size, bytes, image ?? null, clock.now())
}

/** Notes that `parent` needs `child`, or (`part`) lists it. */
export function insertEdge({ database }: Rows, parent: Digest, kind: PinKind | 'part', child: Digest): void {
  database.run('INSERT OR IGNORE INTO edges VALUES (?, ?, ?)', parent, kind, child)
}

/** True when row and files exist; whether their bytes are correct is only known after reading them. */
export function isThere(rows: Rows, { kind, digest }: Pin): boolean {
  if (kind === 'document') return findDocument(rows, digest) !== undefined
  if (kind === 'layer') return findLayer(rows, digest) !== undefined
  return findBlob(rows, digest) !== undefined
}

/** A manifest with all that it needs, an index with all its parts. */
export function isWhole(rows: Rows, digest: Digest, depth = 0): boolean {
  const row = findDocument(rows, digest)
  if (!row || depth > 4) return false
  const edges = rows.database.all<{ kind: PinKind | 'part'; child: Digest }>(
    'SELECT kind, child FROM edges WHERE parent = ?',
    digest,
  )
  return edges.every(({ kind, child }) =>
    kind === 'part' ? isWhole(rows, child, depth + 1) : isThere(rows, { kind, digest: child }),
  )
}

/** Deletes the row of a manifest or index, whatever refers to it; returns what it held. */
export function deleteManifest({ database }: Rows, digest: Digest): Pin[] {
  database.run(`DELETE FROM documents WHERE digest = ? AND kind <> 'config'`, digest)
  database.run('DELETE FROM names WHERE digest = ?', digest)
  database.run('DELETE FROM repo_digests WHERE digest = ?', digest)
  const sql = `DELETE FROM edges WHERE parent = ? RETURNING kind, child AS digest`
  const edges = database.all<{ kind: Pin['kind'] | 'part'; digest: Digest }>(sql, digest)
  return edges.filter((edge): edge is Pin => edge.kind !== 'part')
}
