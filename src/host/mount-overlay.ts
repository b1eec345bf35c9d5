import { closeSync, openSync, readSync } from 'node:fs'
import { BaleError, errnoOf } from '#base'
import { fsconfig, fsconfigCreate, fsmount, fsopen, MOUNT_ATTR, moveMount, O_PATH } from './kernel/syscalls.ts'
import { mountFailed } from './mount-error.ts'
import { mountOverlayByOptions } from './mount-overlay-by-options.ts'
import type { OverlayOptions } from './overlay-options.ts'

const OVERLAY_LOWERS_LIMIT = 500

/** Mounts an overlay of many directories. Nothing about the process changes but its mount table. Throws MOUNT_FAILED. */
export function mountOverlay(overlay: OverlayOptions): void {
  const { lowers, target } = overlay
  if (lowers.length > OVERLAY_LOWERS_LIMIT) {
    throw new BaleError('MOUNT_FAILED', `cannot mount ${lowers.length} layers: overlayfs takes ${OVERLAY_LOWERS_LIMIT}`)
  }
  try {
    if (!byConfiguration(overlay)) mountOverlayByOptions(overlay)
  } catch (error) {
    throw mountFailed('an overlay', target, error)
  }
}

/** By fsopen and `lowerdir+` (Linux 6.7), which has no limit but the 500. False when the kernel does not know it. */
function byConfiguration(overlay: OverlayOptions): boolean {
  let context: number
  try {
    context = fsopen('overlay')
  } catch (error) {
    if (errnoOf(error) === 'ENOSYS') return false
    throw error
  }
  const opened: number[] = [context]
  // A string of fsconfig holds 255 bytes; a longer path is given as a descriptor (6.13).
  const set = (key: string, path: string) => {
    if (Buffer.byteLength(path) < 256) return fsconfig(context, key, path)
    const fd = openSync(path, O_PATH)
    opened.push(fd)
    fsconfig(context, key, fd)
  }
  try {
    fsconfig(context, 'source', 'overlay')
    for (const [index, lower] of overlay.lowers.entries()) {
      try {
        set('lowerdir+', lower)
      } catch (error) {
        if (index === 0 && errnoOf(error) === 'EINVAL') return false
        throw error
      }
    }
    if (overlay.upper !== undefined) set('upperdir', overlay.upper)
    if (overlay.work !== undefined) set('workdir', overlay.work)
    for (const [key, value] of Object.entries(overlay.options ?? {})) fsconfig(context, key, value)
    fsconfigCreate(context)
    const attributes =
      (overlay.readOnly ? MOUNT_ATTR.RDONLY : 0) |
      (overlay.nosuid ? MOUNT_ATTR.NOSUID : 0) |
      (overlay.nodev ? MOUNT_ATTR.NODEV : 0)
    const detached = fsmount(context, attributes)
    opened.push(detached)
    moveMount(detached, overlay.target)
    return true
  } catch (error) {
    throw mountFailed('an overlay', overlay.target, error, kernelMessage(context))
  } finally {
    for (const fd of opened.reverse()) closeSync(fd)
  }
}

/** What the kernel wrote about the failure: lines like `e overlay: No changes allowed in reconfigure`. */
function kernelMessage(context: number): string | undefined {
  const buffer = Buffer.alloc(1024)
  const lines: string[] = []
  for (;;) {
    try {
      const length = readSync(context, buffer)
      if (length === 0) break
      lines.push(
        buffer
          .toString('utf8', 0, length)
          .trim()
          .replace(/^[ewi] /, ''),
      )
    } catch (error) {
      if (errnoOf(error) === undefined || errnoOf(error) === 'EINTR') throw error
      break
    }
  }
  return lines.length ? lines.join('; ') : undefined
}
