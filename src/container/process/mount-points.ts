import { closeSync, constants, fstatSync } from 'node:fs'
import { dirname, normalize } from 'node:path'
import { BaleError, errnoOf, printable } from '#base'
import { O_PATH, openRoot, type RootDirectory, resolveInside, type Time } from '#host'

/** Something that is mounted into a root file system. */
export interface MountPoint {
  /** Absolute path inside the root. */
  destination: string
  /** What has to be there to be covered. */
  kind: 'file' | 'directory'
  /** Of a directory; 0755 by default. A runtime gives a tmpfs the mode of the place that it covers. */
  mode?: number
}

/**
 * Makes the missing mount points of a root file system, so that the runtime need not (it would follow its own rules and
 * change times), and returns what it made, outermost first, by its real path: a mount point below a link of the image is
 * made where the link leads, inside the root, also when that does not exist yet (M12). The directory that got a new entry keeps its
 * times, so it does not look changed.
 */
export function makeMountPoints(rootfs: string, points: readonly MountPoint[]): string[] {
  using root = openRoot(rootfs)
  const made: string[] = []
  const covered = new Set<string>()
  for (const point of points.toSorted(outermostFirst)) {
    const path = realPath(root, point.destination)
    // In a circle of links, which the runtime reports.
    if (path === undefined) continue
    if (!hasAncestor(path, covered) && !there(root, path)) made.push(...makeOne(root, path, point))
    covered.add(path)
  }
  return made
}

const depth = ({ destination }: MountPoint) => normalize(destination).split('/').length
const outermostFirst = (one: MountPoint, other: MountPoint) => depth(one) - depth(other)

function realPath(root: RootDirectory, destination: string): string | undefined {
  try {
    return resolveInside(root, destination)
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') return undefined
    throw error
  }
}

/** Takes away the mount points that `makeMountPoints` made, where they are still empty; restores the directory's times. */
export function removeMountPoints(rootfs: string, made: readonly string[]): void {
  using root = openRoot(rootfs)
  for (const path of [...made].reverse()) {
    const stats = root.statIfThere(path, { follow: false })
    if (!stats || (stats.isFile() && stats.size > 0) || !(stats.isFile() || stats.isDirectory())) continue
    try {
      keepingTimes(root, dirname(path), () => (stats.isDirectory() ? root.rmdir(path) : root.unlink(path)))
    } catch (error) {
      // Something was written into the directory: it is content now.
      if (errnoOf(error) !== 'ENOTEMPTY') throw error
    }
  }
}

function makeOne(root: RootDirectory, path: string, { destination, kind, mode = 0o755 }: MountPoint): string[] {
  const parent = dirname(path)
  const directory = there(root, parent) ? [] : makeOne(root, parent, { destination, kind: 'directory' })
  try {
    keepingTimes(root, parent, () => {
      if (kind === 'directory') root.mkdir(path, mode)
      else closeSync(root.open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o644))
    })
  } catch (cause) {
    if (!['ENOTDIR', 'ENAMETOOLONG'].includes(errnoOf(cause) ?? '')) throw cause
    const why = errnoOf(cause) === 'ENOTDIR' ? `${printable(parent)} is not a directory` : 'its name is too long'
    throw new BaleError('INVALID_ARGUMENT', `cannot make the mount point ${printable(destination)}: ${why}`, { cause })
  }
  return [...directory, path]
}

function there(root: RootDirectory, path: string): boolean {
  return root.statIfThere(path, { follow: false }) !== undefined
}

function hasAncestor(path: string, covered: ReadonlySet<string>): boolean {
  for (let parent = dirname(path); parent !== '/'; parent = dirname(parent)) if (covered.has(parent)) return true
  return false
}

function keepingTimes(root: RootDirectory, directory: string, act: () => void): void {
  const fd = root.open(directory, O_PATH | constants.O_DIRECTORY)
  let access: Time
  let modification: Time
  try {
    const stats = fstatSync(fd, { bigint: true })
    access = timeOf(stats.atimeNs)
    modification = timeOf(stats.mtimeNs)
  } finally {
    closeSync(fd)
  }
  act()
  root.utimes(directory, access, modification)
}

function timeOf(nanoseconds: bigint): Time {
  const seconds = nanoseconds >= 0n ? nanoseconds / 1_000_000_000n : (nanoseconds - 999_999_999n) / 1_000_000_000n
  return { seconds: Number(seconds), nanoseconds: Number(nanoseconds - seconds * 1_000_000_000n) }
}
