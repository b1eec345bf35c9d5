import { readTextSync } from './file/index.ts'
import { unescapeMountPath } from './kernel/mount-path.ts'

/** One line of /proc/self/mountinfo, proc(5). Paths are UTF-8 strings. */
export interface MountInfo {
  id: number
  parent: number
  /** `major:minor` of the file system. */
  device: string
  /** Directory of the file system that is the root of this mount. */
  root: string
  target: string
  options: string[]
  /** `shared:N`, `master:N` … */
  propagation: string[]
  type: string
  source: string
  superOptions: string[]
}

export function mountInfo(): MountInfo[] {
  return parseMountInfo(readTextSync('/proc/self/mountinfo', { encoding: 'latin1' }))
}

/** `table` is the file read as latin1. */
export function parseMountInfo(table: string): MountInfo[] {
  return table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = line.split(' ')
      const separator = fields.indexOf('-', 6)
      const [id, parent, device, root, target, options] = fields as [string, string, string, string, string, string]
      const [type, source, superOptions] = fields.slice(separator + 1)
      return {
        id: Number(id),
        parent: Number(parent),
        device,
        root: path(root),
        target: path(target),
        options: options.split(','),
        propagation: fields.slice(6, separator),
        type: type ?? '',
        source: path(source ?? ''),
        superOptions: path(superOptions ?? '').split(','),
      }
    })
}

const path = (field: string) => Buffer.from(unescapeMountPath(field), 'latin1').toString()

/** True when something is mounted exactly there. The path must be absolute and free of links. */
export function isMounted(target: string): boolean {
  return mountInfo().some((mount) => mount.target === target)
}
