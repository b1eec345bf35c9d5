import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { BaleError, errnoOf, printable } from '#base'
import { openRoot, type RootDirectory, resolveInside } from '#host'

/** Where the runtime mounts the kernel's file systems, and makes links and devices by path before it changes the root. */
const DIRECTORIES = ['/dev', '/proc', '/sys']

/**
 * Refuses a root file system whose /dev, /proc or /sys is something else than a directory. Runtimes before 1.3.6 follow a
 * link there out of the root while they make /dev/fd and its like: files of the machine would be changed (R03).
 */
export function assertKernelDirectories(rootfs: string): void {
  using root = openRoot(rootfs)
  for (const path of DIRECTORIES) {
    const stats = root.statIfThere(path, { follow: false })
    if (stats === undefined || stats.isDirectory()) continue
    throw new BaleError(
      'INVALID_ARGUMENT',
      `the image's ${path} is not a directory: a container from it would not be safe`,
      {
        hint: `use an image in which ${path} is an empty directory or missing`,
      },
    )
  }
}

/** True for the directories of the kernel and all below them. `path` is absolute and normal. */
function isOfKernel(path: string): boolean {
  return DIRECTORIES.some((directory) => path === directory || path.startsWith(`${directory}/`))
}

export interface CheckedMount {
  destination: string
  /** Of a bind or a volume; undefined for a file system that is made empty. */
  source?: string
}

/**
 * Refuses mounts by which an image gets at what the runtime mounts for the kernel: a mount point that a link of the image
 * leads there, and a /dev without the null device, with which runtimes hide files of /proc and /sys. runc before 1.2.8
 * takes whatever has that name, or hides nothing when there is none (CVE-2025-31133, here without any race).
 */
export function assertMountsOffKernel(
  rootfs: string,
  mounts: readonly CheckedMount[],
  { masked }: { masked: boolean },
): void {
  using root = openRoot(rootfs)
  for (const { destination, source } of mounts) {
    const real = realMountPoint(root, destination)
    if (isOfKernel(real) && !isOfKernel(destination))
      throw new BaleError(
        'INVALID_ARGUMENT',
        `the mount point ${printable(destination)} is a link in the image to ${printable(real)}`,
        { hint: 'mount it at a path that is not a link' },
      )
    if (masked && source !== undefined) assertNullDevice(real, source)
  }
}

/** Refuses what the kernel would not follow either: runtimes that resolve paths themselves go on for up to 255 links. */
function realMountPoint(root: RootDirectory, destination: string): string {
  try {
    return resolveInside(root, destination)
  } catch (error) {
    if (errnoOf(error) !== 'ELOOP') throw error
    throw new BaleError('INVALID_ARGUMENT', `the mount point ${printable(destination)} leads through too many links`, {
      hint: 'mount it at a path that is not a link',
    })
  }
}

function assertNullDevice(destination: string, source: string): void {
  if (destination !== '/dev' && destination !== '/dev/null') return
  const stats = lstatSync(destination === '/dev' ? join(source, 'null') : source, { throwIfNoEntry: false })
  // Linux's memory devices, admin-guide/devices.txt: 1:3 is /dev/null.
  if (stats?.isCharacterDevice() && stats.rdev === 0x103) return
  throw new BaleError(
    'INVALID_ARGUMENT',
    `the mount at ${destination} has no null device: kernel files could not be hidden from the container`,
    { hint: "mount single devices, or the machine's own /dev" },
  )
}

/**
 * Refuses mounts at or below the kernel's directories that an image or a Dockerfile requests; /dev/shm holds no devices, and in
 * /dev/pipes are the scripts of a Dockerfile.
 */
export function assertDeclaredOffKernel(path: string, what: string): void {
  if (!isOfKernel(path) || path === '/dev/shm' || /^\/dev\/(?:shm|pipes)\/./.test(path)) return
  throw new BaleError('INVALID_ARGUMENT', `${what} at ${printable(path)} is refused: that path belongs to the kernel`, {
    hint: 'to mount there, request it when the container is created',
  })
}
