/**
 * One entry of a tar as scanned: PAX and GNU long names applied, numbers checked. Names are byte-exact: latin1 strings,
 * one character per byte, so that they sort bytewise and non-UTF-8 names survive. Nothing is cleaned here: `./`, `..`
 * and leading slashes are as in the tar; `normalisePath` of this room judges them.
 */
export interface TarEntry {
  /** Name as in the tar, latin1. */
  name: string
  type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo'
  /** Permission bits incl. setuid, setgid, sticky (07777). */
  mode: number
  uid: number
  gid: number
  /** Seconds since 1970, may be negative. */
  mtime: number
  /** 0 … 999 999 999, counted upward from `mtime`. */
  mtimeNanoseconds: number
  /** Bytes of the file as it appears (for a sparse file: with holes); 0 for all but files. */
  size: number
  /** Bytes of data in the tar after the header(s); equals `size` unless sparse. */
  dataSize: number
  /** Target of a symlink or hard link, latin1. */
  linkName: string
  deviceMajor: number
  deviceMinor: number
  /** From PAX `SCHILY.xattr.*` (and LIBARCHIVE.xattr): name in latin1 -> value. */
  xattrs: Map<string, Uint8Array>
  /** GNU sparse (old, 0.0, 0.1, 1.0): the positions of the tar's data bytes in the file. */
  sparse?: readonly { offset: number; length: number }[]
  userName?: string
  groupName?: string
}
