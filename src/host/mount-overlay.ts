import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readSync } from 'node:fs'
import { BaleError, errnoOf } from '#base'
import { mountFailed } from './mount-error.ts'
import { fsconfig, fsconfigCreate, fsmount, fsopen, MOUNT_ATTR, MS, mount, moveMount, O_PATH } from './syscalls.ts'

export interface OverlayOptions {
  /** Absolute paths, uppermost first; at most 500 (the kernel's limit). */
  lowers: readonly string[]
  /** Both or neither; without them the overlay is read-only and needs two lowers. One file system, `work` empty. */
  upper?: string
  work?: string
  target: string
  /** Flags (`userxattr: true`) and values (`metacopy: 'off'`) of overlayfs. */
  options?: Readonly<Record<string, string | true>>
  readOnly?: boolean
  nosuid?: boolean
  nodev?: boolean
}

export const OVERLAY_LOWERS_LIMIT = 500

/** Mounts an overlay of many directories. Nothing about the process changes but its mount table. Throws MOUNT_FAILED. */
export function mountOverlay(overlay: OverlayOptions): void {
  const { lowers, target } = overlay
  if (lowers.length > OVERLAY_LOWERS_LIMIT) {
    throw new BaleError('MOUNT_FAILED', `cannot mount ${lowers.length} layers: overlayfs takes ${OVERLAY_LOWERS_LIMIT}`)
  }
  try {
    if (!byConfiguration(overlay)) byOptionString(overlay)
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

const OPTION_PAGE = 4095

/**
 * By mount(2), whose options are one page. When absolute paths do not fit, the lowers are named relative to their
 * common directory. A process has one working directory for all its threads, so mount(8) does it in a process of its own.
 */
function byOptionString(overlay: OverlayOptions): void {
  const flags = (overlay.readOnly ? MS.RDONLY : 0) | (overlay.nosuid ? MS.NOSUID : 0) | (overlay.nodev ? MS.NODEV : 0)
  const absolute = optionString(overlay, overlay.lowers)
  if (Buffer.byteLength(absolute) <= OPTION_PAGE) {
    mount('overlay', overlay.target, 'overlay', flags, absolute)
    return
  }
  const directory = commonDirectory(overlay.lowers)
  const relative = optionString(
    overlay,
    overlay.lowers.map((lower) => lower.slice(directory.length + 1)),
  )
  if (Buffer.byteLength(relative) > OPTION_PAGE) {
    throw new BaleError('UNSUPPORTED_HOST', `this kernel cannot mount ${overlay.lowers.length} layers at once`, {
      hint: 'Linux 6.7 or newer can',
    })
  }
  mountFrom(directory || '/', overlay.target, `${relative}${mountWords(flags)}`)
}

/** By mount(8), told to use mount(2): the newer calls take no option of more than 255 bytes. */
function mountFrom(directory: string, target: string, options: string): void {
  const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LIBMOUNT_FORCE_MOUNT2: 'always' }
  const words = ['-i', '-n', '-t', 'overlay', '-o', options, 'overlay', target]
  const done = spawnSync('mount', words, { cwd: directory, env: environment, encoding: 'utf8' })
  if (done.status !== 0) throw done.error ?? new Error(done.stderr.trim())
}

function mountWords(flags: number): string {
  return `${flags & MS.RDONLY ? ',ro' : ''}${flags & MS.NOSUID ? ',nosuid' : ''}${flags & MS.NODEV ? ',nodev' : ''}`
}

function optionString(overlay: OverlayOptions, lowers: readonly string[]): string {
  const parts = [`lowerdir=${lowers.map((lower) => escaped(lower).replaceAll(':', '\\:')).join(':')}`]
  if (overlay.upper !== undefined) parts.push(`upperdir=${escaped(overlay.upper)}`)
  if (overlay.work !== undefined) parts.push(`workdir=${escaped(overlay.work)}`)
  for (const [key, value] of Object.entries(overlay.options ?? {})) parts.push(value === true ? key : `${key}=${value}`)
  return parts.join(',')
}

const escaped = (path: string) => path.replace(/[\\,]/g, '\\$&')

function commonDirectory(paths: readonly string[]): string {
  let directory = paths[0]!.slice(0, paths[0]!.lastIndexOf('/'))
  while (directory !== '' && !paths.every((path) => path.startsWith(`${directory}/`))) {
    directory = directory.slice(0, directory.lastIndexOf('/'))
  }
  return directory
}

/** For tests: the way of kernels without `lowerdir+`. */
export const mountOverlayByOptionString = byOptionString
