import { BaleError } from '#base'
import { isImageManifest } from '#image'
import {
  checkConfigMatches,
  type Descriptor,
  type Digest,
  type ImageManifest,
  isConfigType,
  parseImageConfig,
  parseManifest,
} from '#spec'
import { type Core, type Intake, verifyBytes } from '#store/content'
import { findDocument, insertDocument, insertEdge, isThere, type Pin } from '#store/rows'

/**
 * Stores a manifest or index with what it needs, all of which must be stored already. It is held by the operation, so that
 * it is still there when it gets its name. Throws BLOB_NOT_FOUND when it is not,
 * INVALID_MANIFEST, DIGEST_MISMATCH.
 */
export function insertManifest(core: Intake, descriptor: Descriptor, bytes: Uint8Array): void {
  verifyBytes(descriptor, bytes)
  const parsed = parseManifest(bytes, descriptor.mediaType)
  core.database.transaction(() => {
    core.lease.hold([{ kind: 'document', digest: descriptor.digest }])
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
        throw new BaleError(
          'BLOB_NOT_FOUND',
          `the manifest ${descriptor.digest} needs ${digest}, which is not in the store`,
        )
      }
      insertEdge(core, descriptor.digest, kind, digest)
    }
    core.lease.release(needs)
  })
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
