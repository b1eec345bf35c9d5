/**
 * rootfs: layers → a mounted root file system, and an upper directory → a changeset. Two layer formats (EROFS images that
 * the kernel mounts; extracted trees where it cannot) that callers cannot distinguish.
 *
 * Promises: layers are mounted read-only, once per machine, and shared; their bytes never change; what a container writes
 * is in its upper directory only. Does not: choose images, run processes, keep records (that is the store).
 */

export { changeset, diffKinds, flatten, type PathChange } from './changeset.ts'
export { createRootfs } from './create-rootfs.ts'
export { openLayerImage } from './image-file.ts'
export { chooseLayerFormat, chooseLayerMounts, type LayerMounts } from './layer-format-choice.ts'
export { createLowerView, type LowerView } from './lower-view.ts'
export { flattenLayers } from './merged-tree.ts'
export { packFile } from './pack-file.ts'
export type { Rootfs, RootfsMounter } from './rootfs.ts'
export { unreadable } from './unreadable-layer.ts'
export { walkTree } from './walk-tree.ts'
