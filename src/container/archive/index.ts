/**
 * archive: packs a tree of files as a tar and unpacks it, inside a root that no name or link can leave.
 */

export { type PathStat, packPath, statPath } from './pack-path.ts'
export { unpackTar } from './unpack-tar.ts'
