import { statfsSync } from 'node:fs'

/**
 * Local file systems that set the time of every change when it happens. Not among them: those of a network or of a program, whose stat
 * may be older than their data; tmpfs and ZFS, which do not date what is changed through a mapping; overlayfs, whose inodes are others
 * after a mount. Source: statfs(2), and page_mkwrite of each in the kernel.
 */
const RELIABLE = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // btrfs
  0xf2f52010, // F2FS
])

/** Of the file system that an open directory is on. */
export function hasReliableTimes(directory: number): boolean {
  // Numbers above 2^31 come signed on some architectures.
  return RELIABLE.has(statfsSync(`/proc/self/fd/${directory}`).type >>> 0)
}
