import { describe, makeDocuments, makeIndex } from '#image'
import { type Descriptor, encodeDocument, MediaType, type Platform } from '#spec'
import type { JsonDocument } from '#trust/sbom'

/** An image with what is said of it. */
interface AttestedImage {
  readonly descriptor: Descriptor
  readonly platform: Platform
  /** Of in-toto. */
  readonly statements: readonly JsonDocument[]
}

interface Part {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/** An index, and all that it lists and that is no image. */
export interface AttestedIndex extends Part {
  readonly manifests: readonly Part[]
  readonly blobs: readonly Part[]
}

/**
 * The index of images and their attestations: the images first, then for each of them a manifest whose layers are the statements.
 * Its platform and its config (of no system, with the statements as layers) keep runtimes from choosing it. This is the layout
 * of BuildKit's `oci-artifact=false`, which every registry takes; what reads the newer one reads it too.
 * Source: moby/buildkit, docs/attestations/attestation-storage.md.
 */
export function attestedIndex(images: readonly AttestedImage[]): AttestedIndex {
  const attestations = images.map((image) => ({
    of: image.descriptor.digest,
    ...attestationManifest(image.statements),
  }))
  const { bytes, descriptor } = makeIndex([
    ...images.map(({ descriptor: { mediaType, digest, size }, platform }) => ({ mediaType, digest, size, platform })),
    ...attestations.map(({ of, manifest }) => ({
      ...manifest.descriptor,
      annotations: { 'vnd.docker.reference.digest': of, 'vnd.docker.reference.type': 'attestation-manifest' },
      platform: NO_PLATFORM,
    })),
  ])
  return {
    descriptor,
    bytes,
    manifests: attestations.map(({ manifest }) => manifest),
    blobs: attestations.flatMap(({ blobs }) => blobs),
  }
}

const NO_PLATFORM: Platform = { architecture: 'unknown', os: 'unknown' }

const STATEMENT = 'application/vnd.in-toto+json'

function attestationManifest(statements: readonly JsonDocument[]): { manifest: Part; blobs: Part[] } {
  const parts = statements.map((statement) => {
    const bytes = encodeDocument(statement)
    return { bytes, descriptor: describe(bytes, STATEMENT), type: String(statement['predicateType']) }
  })
  const diffIds = parts.map(({ descriptor }) => descriptor.digest)
  const { manifestBytes, manifestDescriptor, configBytes, configDescriptor } = makeDocuments({
    configBytes: encodeDocument({ ...NO_PLATFORM, config: {}, rootfs: { type: 'layers', diff_ids: diffIds } }),
    configType: MediaType.ociConfig,
    layers: parts.map(({ descriptor, type }) => ({
      ...descriptor,
      diffId: descriptor.digest,
      annotations: { 'in-toto.io/predicate-type': type },
    })),
  })
  return {
    manifest: { descriptor: manifestDescriptor, bytes: manifestBytes },
    blobs: [
      { descriptor: configDescriptor, bytes: configBytes },
      ...parts.map(({ descriptor, bytes }) => ({ descriptor, bytes })),
    ],
  }
}
