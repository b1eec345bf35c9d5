import { closeSync } from 'node:fs'
import { BaleError, errnoOf } from '#base'
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
} from './kernel/syscalls.ts'
import { attachLoop } from './loop.ts'
import { mounting } from './mount-error.ts'

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
