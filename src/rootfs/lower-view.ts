import { lstatSync, type Stats } from 'node:fs'
import { readXattr } from '#host'

/** What stacked layers show, without mounting them: for questions about single paths. */
export interface LowerView {
  /** The entry as the lowers show it, or undefined. `path` is latin1 without a leading slash. */
  stat(path: string): Stats | undefined
}

/** `lowers` are layer folders as mounted, uppermost first. */
export function createLowerView(lowers: readonly string[]): LowerView {
  return {
    stat(path) {
      const components = path.split('/')
      for (const lower of lowers) {
        const found = lookIn(lower, components)
        if (found === 'hidden') return undefined
        if (found !== 'absent') return found
      }
      return undefined
    },
  }
}

/** `hidden`: this layer says that nothing is there, whatever is below it. Links on the way are not followed: they hide. */
function lookIn(lower: string, components: readonly string[]): Stats | 'hidden' | 'absent' {
  let path = Buffer.from(lower)
  let opaque = false
  for (const [index, component] of components.entries()) {
    path = Buffer.concat([path, Buffer.from(`/${component}`, 'latin1')])
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (!stat) return opaque ? 'hidden' : 'absent'
    if (isWhiteout(stat)) return 'hidden'
    if (index === components.length - 1) return stat
    if (!stat.isDirectory()) return 'hidden'
    opaque ||= isOpaque(path)
  }
  return 'absent'
}

export function isWhiteout(stat: { isCharacterDevice(): boolean; rdev: number | bigint }): boolean {
  return stat.isCharacterDevice() && (stat.rdev === 0 || stat.rdev === 0n)
}

export function isOpaque(path: Buffer): boolean {
  const value = readXattr(path, 'trusted.overlay.opaque')
  return value !== undefined && Buffer.from(value).toString('latin1') === 'y'
}
