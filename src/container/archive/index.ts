/**
 * archive: a tree of files as a tar and back, inside a root that no name or link leads out of.
 */

export { type PathStat, packPath, statPath } from './pack-path.ts'
export { unpackTar } from './unpack-tar.ts'
