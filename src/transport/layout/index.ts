/**
 * transport/layout: OCI image layouts in directories, as place to read and to write. Promises: links in a layout are never
 * followed; what has a digest's name has the digest; other writers' images stay listed. Does not: lock a layout against
 * other programs that write it at the same time.
 */
export { type LayoutSource, openLayout } from './layout-source.ts'
export { createLayoutTarget, type LayoutTarget } from './layout-target.ts'
export {
  archiveName,
  findNamedImage,
  type NamedImage,
  readNamedImages,
  writeNamedImages,
} from './named-images.ts'
