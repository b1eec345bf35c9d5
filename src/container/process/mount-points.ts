import { closeSync, constants, fstatSync } from 'node:fs'
import { dirname, normalize } from 'node:path'
import { errnoOf } from '#base'
import { O_PATH, openRoot, type RootFolder, type Time } from '#host'

/** Something that is mounted into a root file system. */
export interface MountPoint {
  /** Absolute path inside the root. */
  destination: string
  /** What has to be there to be covered. */
  kind: 'file' | 'folder'
}

/**
 * Makes the missing mount points of a root file system, so that the runtime need not (it would follow its own rules and
 * change times), and returns what it made, outermost first. Links are resolved inside the root. The folder that got a
 * new entry keeps its times, so that it does not look changed.
 */
export function makeMountPoints(rootfs: string, points: readonly MountPoint[]): string[] {
  using root = openRoot(rootfs)
  const made: string[] = []
  const covered = new Set(points.map((point) => normalize(point.destination)))
  for (const point of points) {
    const path = normalize(point.destination)
    if (hasAncestor(path, covered) || leadsNowhere(root, dirname(path)) || there(root, path)) continue
    made.push(...makeOne(root, path, point.kind))
  }
  return made
}

/** Takes away the mount points that `makeMountPoints` made, where they are still empty; restores the folder's times. */
export function removeMountPoints(rootfs: string, made: readonly string[]): void {
  using root = openRoot(rootfs)
  for (const path of [...made].reverse()) {
    const stats = root.statIfThere(path, { follow: false })
    if (!stats || (stats.isFile() && stats.size > 0) || !(stats.isFile() || stats.isDirectory())) continue
    try {
      keepingTimes(root, dirname(path), () => (stats.isDirectory() ? root.rmdir(path) : root.unlink(path)))
    } catch (error) {
      // Something was put into the folder: it is content now.
      if (errnoOf(error) !== 'ENOTEMPTY') throw error
    }
  }
}

function makeOne(root: RootFolder, path: string, kind: MountPoint['kind']): string[] {
  const parent = dirname(path)
  const folder = there(root, parent) ? [] : makeOne(root, parent, 'folder')
  keepingTimes(root, parent, () => {
    if (kind === 'folder') root.mkdir(path, 0o755)
    else closeSync(root.open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o644))
  })
  return [...folder, path]
}

/** True below a link of the image to nothing: the runtime makes what it stands for, inside the root as well (M12). */
function leadsNowhere(root: RootFolder, path: string): boolean {
  for (let folder = path; folder !== '/'; folder = dirname(folder)) {
    try {
      if (root.statIfThere(folder, { follow: false })?.isSymbolicLink() && !root.statIfThere(folder)) return true
    } catch (error) {
      if (errnoOf(error) === 'ELOOP') return true
      throw error
    }
  }
  return false
}

/** True for anything there, a link that leads nowhere included (the runtime decides about it). */
function there(root: RootFolder, path: string): boolean {
  try {
    return root.statIfThere(path, { follow: false }) !== undefined
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') return true
    throw error
  }
}

function hasAncestor(path: string, covered: ReadonlySet<string>): boolean {
  for (let parent = dirname(path); parent !== '/'; parent = dirname(parent)) if (covered.has(parent)) return true
  return false
}

function keepingTimes(root: RootFolder, folder: string, act: () => void): void {
  const fd = root.open(folder, O_PATH | constants.O_DIRECTORY)
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
  root.utimes(folder, access, modification)
}

function timeOf(nanoseconds: bigint): Time {
  const seconds = nanoseconds >= 0n ? nanoseconds / 1_000_000_000n : (nanoseconds - 999_999_999n) / 1_000_000_000n
  return { seconds: Number(seconds), nanoseconds: Number(nanoseconds - seconds * 1_000_000_000n) }
}
