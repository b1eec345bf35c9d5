/**
 * transport/archive: image archives (one tar file or stream) as places. Promises: reads what docker since 1.10, podman,
 * skopeo and bale save, in place and never by extraction; writes one archive that all of them load, byte for byte the same
 * for the same images. Does not: keep layers apart from their archive, or read archives of docker before 1.10.
 */
export { type ArchiveTarget, type ArchiveTargetOptions, createArchiveTarget } from './archive-target.ts'
export { type ArchiveImage, type ImageArchive, openArchive } from './open-archive.ts'
export { unwrapArchive } from './unwrap-archive.ts'
