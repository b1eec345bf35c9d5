import { BaleError } from '#base'
import {
  type Descriptor,
  formatPlatform,
  type ImageIndex,
  isIndexType,
  isManifestType,
  matchPlatform,
  type Platform,
  platformPreferences,
} from '#spec'

/**
 * The entry of an index that fits a machine best: older levels of its architecture and its 32-bit counterpart count too, in
 * containerd's order. An entry without platform is taken only when it is the index's one image. Attestations are never
 * chosen. Throws NO_MATCHING_PLATFORM, naming what is on offer.
 */
export function choosePlatform(index: ImageIndex, wanted: Platform): Descriptor {
  const images = imagesOf(index)
  for (const platform of platformPreferences(wanted)) {
    const fitting = images.find((entry) => entry.platform !== undefined && matchPlatform(platform, entry.platform))
    if (fitting) return fitting
  }
  if (images.length === 1 && images[0]!.platform === undefined) return images[0]!
  throw noMatchingPlatform(wanted, images)
}

/** Entries that are images, or indexes of images. */
export function imagesOf(index: ImageIndex): Descriptor[] {
  return index.manifests.filter(
    (entry) => (isManifestType(entry.mediaType) || isIndexType(entry.mediaType)) && !isAttestation(entry),
  )
}

/** BuildKit stores provenance and SBOM as manifests alongside the images. */
export function isAttestation(entry: Descriptor): boolean {
  return entry.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest'
}

const SHOWN = 30

function noMatchingPlatform(wanted: Platform, images: Descriptor[]): BaleError {
  const offered = [...new Set(images.flatMap(({ platform }) => (platform ? [formatPlatform(platform)] : [])))]
  const list =
    offered.slice(0, SHOWN).join(', ') + (offered.length > SHOWN ? `, and ${offered.length - SHOWN} more` : '')
  return new BaleError(
    'NO_MATCHING_PLATFORM',
    `no matching manifest for ${formatPlatform(wanted)} in the manifest list entries; available: ${list || 'nothing'}`,
    {
      next: offered.length > 0 ? { act: 'choose-platform', offered: offered[0] } : undefined,
      details: { wanted: formatPlatform(wanted), offered },
    },
  )
}
