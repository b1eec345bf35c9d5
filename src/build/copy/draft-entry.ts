import { posix } from 'node:path'
import { BaleError } from '#base'
import type { NewTarEntry } from '#format/tar'
import { shown, type TreeEntry } from '../context/index.ts'

/** What a path is, in the layer being made or below it. */
export type DraftEntry = Omit<TreeEntry, 'inode' | 'size'>

/** A directory that nothing says more about; also the root. */
export const PLAIN_DIRECTORY: DraftEntry = {
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  mtimeNanoseconds: 0,
  linkName: '',
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
}

/** Of a path in the layer; no time is later than `latestTime`, in seconds since 1970. */
export function draftTarEntry(
  path: string,
  of: DraftEntry & { size?: number },
  latestTime: number | undefined,
): NewTarEntry {
  const { type, mode, uid, gid, mtime, mtimeNanoseconds, linkName, deviceMajor, deviceMinor, xattrs, size, sparse } = of
  const isLate = latestTime !== undefined && mtime >= latestTime
  const time = isLate ? { mtime: latestTime, mtimeNanoseconds: 0 } : { mtime, mtimeNanoseconds }
  return { name: path, type, mode, uid, gid, ...time, linkName, deviceMajor, deviceMinor, xattrs, size, sparse }
}

/** Refuses to make a directory where something else is. */
export function inTheWay(path: string, found: DraftEntry | undefined): BaleError {
  return new BaleError(
    'BUILD_FAILED',
    `cannot copy to non-directory: ${shown(path)} is ${found ? `a ${found.type}` : 'not there'}`,
  )
}

/** A layer cannot hold such a name: readers take it for the mark that something is deleted. */
export function assertLayerName(path: string): void {
  if (!posix.basename(path).startsWith('.wh.')) return
  throw new BaleError('BUILD_FAILED', `${shown(path)}: a layer cannot hold a file whose name begins with .wh.`, {
    hint: 'layers use such names to delete files; leave it out with .dockerignore or --exclude',
  })
}
