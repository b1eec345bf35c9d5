import { type Descriptor, encodeDocument, type ImageManifest, MANIFEST_LIMIT, parseStrictJson } from '#spec'
import { describe, type ImageDocuments } from './make-image.ts'

/**
 * The same image with its blobs replaced, layer for layer (compressed for a push). The config, and so the ID, stays;
 * members of the manifest that bale does not know stay as well.
 */
export function replaceLayers(image: ImageDocuments, layers: readonly Descriptor[]): ImageDocuments {
  const raw = parseStrictJson(image.manifestBytes, { limit: MANIFEST_LIMIT, what: 'manifest' }) as ImageManifest
  const manifest = { ...image.manifest, layers: [...layers] }
  const manifestBytes = encodeDocument({ ...raw, ...manifest })
  return { ...image, manifest, manifestBytes, manifestDescriptor: describe(manifestBytes, manifest.mediaType) }
}
