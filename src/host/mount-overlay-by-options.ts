import { spawnSync } from 'node:child_process'
import { BaleError } from '#base'
import { MS, mount } from './kernel/syscalls.ts'
import type { OverlayOptions } from './overlay-options.ts'

const OPTION_PAGE = 4095

/**
 * For kernels without `lowerdir+`, by mount(2), whose options are one page. When absolute paths do not fit, the lowers are named relative to their
 * common directory. A process has one working directory for all its threads, so mount(8) does it in a process of its own.
 */
export function mountOverlayByOptions(overlay: OverlayOptions): void {
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

/** By mount(8), made to use mount(2): the newer calls take no option of more than 255 bytes. */
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
