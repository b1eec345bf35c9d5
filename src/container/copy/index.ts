/**
 * copy: files into and out of containers, by docker's rules of `cp`.
 */

export {
  type CopyOptions,
  copyFromContainer,
  copyIntoContainer,
  readContainerPath,
  statContainerPath,
  type WriteOptions,
  writeContainerPath,
} from './container-files.ts'
