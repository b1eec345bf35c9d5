import { BaleError } from '#base'
import { digestOf } from '#blob'
import { parseManifest } from '#spec'
import { type Intake, insertConfig } from '#store/content'
import { findDocument } from '#store/rows'
import { toImage } from './image-table.ts'
import { insertManifest } from './insert-manifest.ts'
import type { StoredImage } from './stored-image.ts'

/** An image made here: two documents in raw JSON, whose media types are OCI's by default. */
export interface NewImage {
  config: Uint8Array
  manifest: Uint8Array
}

/** Stores an image whose layers are in the store. Throws BLOB_NOT_FOUND if they are missing, INVALID_MANIFEST. */
export function putImage(core: Intake, { config, manifest }: NewImage): StoredImage {
  const parsed = parseManifest(manifest)
  if (parsed.kind !== 'manifest') throw new BaleError('INVALID_MANIFEST', 'an index is not an image')
  const mediaType = parsed.manifest.mediaType
  const descriptor = { mediaType, digest: digestOf(manifest), size: manifest.byteLength }
  core.database.transaction(() => {
    insertConfig(core, parsed.manifest.config, config)
    insertManifest(core, descriptor, manifest)
  })
  return toImage(core, findDocument(core, descriptor.digest)!)!
}
