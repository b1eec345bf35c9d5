import { closeSync } from 'node:fs'
import { BaleError, errnoOf } from '#base'
import { attachLoop } from './loop.ts'
import { mounting } from './mount-error.ts'
import {
  MNT_DETACH,
  MOUNT_ATTR,
  MS,
  mount,
  mountSetattr,
  moveMount,
  openTree,
  UMOUNT_NOFOLLOW,
  umount2,
} from './syscalls.ts'

const HARDENED = MS.RDONLY | MS.NOSUID | MS.NODEV | MS.NOEXEC

/**
 * Mounts an EROFS image read-only, nosuid, nodev, noexec (an overlay above still executes and keeps suid bits).
 * Straight from the file where the kernel can (6.12); on ENOTBLK (older kernels, images on tmpfs or overlayfs) through
 * a loop device that frees itself with the mount. `by` insists on one of the two.
 */
export function mountErofs(image: string, target: string, options: { by?: 'file' | 'loop' } = {}): void {
  mounting(image, target, () => {
    if (options.by !== 'loop') {
      try {
        return mount(image, target, 'erofs', HARDENED)
      } catch (error) {
        if (errnoOf(error) !== 'ENOTBLK' || options.by === 'file') throw error
      }
    }
    const loop = attachLoop(image)
    try {
      mount(loop.path, target, 'erofs', HARDENED)
    } finally {
      closeSync(loop.fd)
    }
  })
}

export interface BindOptions {
  /** With the mounts below it. */
  recursive?: boolean
  readOnly?: boolean
  nosuid?: boolean
  nodev?: boolean
  noexec?: boolean
  propagation?: 'private' | 'rprivate' | 'slave' | 'rslave' | 'shared' | 'rshared'
}

/** Makes `source` (file or directory) appear at `target` too. */
export function bindMount(source: string, target: string, options: BindOptions = {}): void {
  mounting(source, target, () => mount(source, target, undefined, MS.BIND | (options.recursive ? MS.REC : 0)))
  try {
    mounting(source, target, () => restrict(target, options))
  } catch (error) {
    umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW)
    throw error
  }
}

function restrict(target: string, options: BindOptions): void {
  const set =
    (options.readOnly ? MOUNT_ATTR.RDONLY : 0) |
    (options.nosuid ? MOUNT_ATTR.NOSUID : 0) |
    (options.nodev ? MOUNT_ATTR.NODEV : 0) |
    (options.noexec ? MOUNT_ATTR.NOEXEC : 0)
  // mount_setattr since 5.12; older kernels restrict the top mount only, by remounting it. The flag values are equal.
  if (set) {
    try {
      mountSetattr(target, { set }, options.recursive)
    } catch (error) {
      if (errnoOf(error) !== 'ENOSYS') throw error
      mount(undefined, target, undefined, MS.REMOUNT | MS.BIND | set)
    }
  }
  if (options.propagation) mount(undefined, target, undefined, PROPAGATION[options.propagation])
}

const PROPAGATION = {
  private: MS.PRIVATE,
  rprivate: MS.PRIVATE | MS.REC,
  slave: MS.SLAVE,
  rslave: MS.SLAVE | MS.REC,
  shared: MS.SHARED,
  rshared: MS.SHARED | MS.REC,
}

/**
 * Makes `source` with all that is mounted below it appear at a place that is named by its descriptor, so that nobody can
 * swap the place for another. Nothing that happens to the one mount later (unmounting above all) reaches the other.
 */
export function bindMountAt(source: string, place: number, options: { readOnly?: boolean } = {}): void {
  mounting(source, `/proc/self/fd/${place}`, () => {
    const tree = openTree(source, { recursive: true })
    try {
      const set = options.readOnly ? MOUNT_ATTR.RDONLY : 0
      mountSetattr(tree, { set, propagation: MS.PRIVATE }, true)
      moveMount(tree, place)
    } finally {
      closeSync(tree)
    }
  })
}

/** A tmpfs; `options` as in mount(8), for example `size=8m,mode=0700`. */
export function mountTmpfs(target: string, options = ''): void {
  mounting('tmpfs', target, () => mount('tmpfs', target, 'tmpfs', MS.NOSUID | MS.NODEV, options))
}

/**
 * Unmounts; nothing mounted there is success. `detach` takes it out of the tree at once and lets the kernel finish when
 * the last user goes; without it a busy mount throws CONFLICT.
 */
export function unmount(target: string, options: { detach?: boolean } = {}): void {
  try {
    umount2(target, UMOUNT_NOFOLLOW | (options.detach ? MNT_DETACH : 0))
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'EINVAL' || errno === 'ENOENT') return
    if (errno === 'EBUSY') throw new BaleError('CONFLICT', `${target} is in use`, { cause: error, details: { target } })
    throw error
  }
}
