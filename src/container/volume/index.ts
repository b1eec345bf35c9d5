/**
 * volume: volumes and binds: their records, their files, mounting them while they are in use.
 */

export { fillVolume } from './fill-volume.ts'
export { mountInside } from './mount-inside.ts'
export { missingSource, mountsNow } from './mounts-now.ts'
export { mountVolume, releaseVolumes } from './volume-mount.ts'
export {
  type CreateVolumeOptions,
  createVolume,
  findVolume,
  listVolumes,
  pruneVolumes,
  removeVolume,
  volumeUsers,
} from './volumes.ts'
