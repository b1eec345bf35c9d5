import {
  type Descriptor,
  encodeDocument,
  type ImageManifest,
  layerCompression,
  MANIFEST_LIMIT,
  MediaType,
  ociTypeOf,
  parseStrictJson,
} from '#spec'
import { describe, type ImageDocuments } from './make-image.ts'

/** Only OCI has a type for layers compressed by zstd: a manifest of docker's with one becomes OCI's. */
function typed(manifest: ImageManifest): ImageManifest {
  const { mediaType, config, layers } = manifest
  const hasZstd = layers.some((layer) => layerCompression(layer.mediaType) === 'zstd')
  if (mediaType !== MediaType.dockerManifest || !hasZstd) return manifest
  const inOci = (descriptor: Descriptor) => ({ ...descriptor, mediaType: ociTypeOf(descriptor.mediaType) })
  return { ...manifest, mediaType: ociTypeOf(mediaType), config: inOci(config), layers: layers.map(inOci) }
}

/**
 * The same image with its blobs replaced, layer for layer (compressed for a push). The config, and so the ID, stays;
 * members of the manifest that bale does not know stay as well.
 */
export function replaceLayers(image: ImageDocuments, layers: readonly Descriptor[]): ImageDocuments {
  const raw = parseStrictJson(image.manifestBytes, { limit: MANIFEST_LIMIT, what: 'manifest' }) as ImageManifest
  const manifest = typed({ ...image.manifest, layers: [...layers] })
  const manifestBytes = encodeDocument({ ...raw, ...manifest })
  return { ...image, manifest, manifestBytes, manifestDescriptor: describe(manifestBytes, manifest.mediaType) }
}
