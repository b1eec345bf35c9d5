import type { VolumeRecord } from '#store'

/** What the store keeps of a volume. */
export interface VolumeDocument {
  labels: Record<string, string>
  options: Record<string, string>
  /** Made for one container by `-v /path` or the image's VOLUME. */
  anonymous: boolean
}

export type Volume = VolumeRecord<VolumeDocument>
