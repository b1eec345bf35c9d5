import { existsSync } from 'node:fs'
import type { Digest } from '#spec'
import type { LayerFormatName, LayerRecord } from './layer-record.ts'
import type { Rows } from './rows.ts'

interface LayerRow {
  diff_id: Digest
  format: LayerFormatName
  tar_size: number
  disk_size: number
  content_size: number
  image_digest: Digest | null
  created: number
}

const toRecord =
  ({ layout }: Rows) =>
  (row: LayerRow): LayerRecord => ({
    diffId: row.diff_id,
    format: row.format,
    tarSize: row.tar_size,
    diskSize: row.disk_size,
    contentSize: row.content_size,
    ...(row.image_digest ? { imageDigest: row.image_digest } : {}),
    directory: layout.layerDirectory(row.diff_id),
    created: row.created,
  })

/** The record, if the layer's directory exists too: a lost one counts as missing, so that it is fetched again. */
export function findLayer(rows: Rows, diffId: Digest): LayerRecord | undefined {
  const row = rows.database.get<LayerRow>('SELECT * FROM layers WHERE diff_id = ?', diffId)
  if (!row || !existsSync(rows.layout.layerDirectory(diffId))) return undefined
  return toRecord(rows)(row)
}

export function listLayers(rows: Rows): LayerRecord[] {
  return rows.database.all<LayerRow>('SELECT * FROM layers ORDER BY created, diff_id').map(toRecord(rows))
}
