import { type BigIntStats, closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs'
import { readXattr } from '#host'
import { unreadable } from './unreadable-layer.ts'

/** What stacked layers show, without mounting them: for questions about single paths. */
export interface LowerView {
  /** The entry as the lowers show it, or undefined. `path` is latin1; a slash at its ends means nothing. */
  stat(path: string): BigIntStats | undefined
  /** The names in a directory as the lowers show it, latin1, sorted; none for anything else. */
  names(path: string): string[]
}

/** `lowers` are layer directories as mounted, uppermost first. */
export function createLowerView(lowers: readonly string[]): LowerView {
  const stat: LowerView['stat'] = (path) => {
    const components = piecesOf(path)
    for (const lower of lowers) {
      const found = lookIn(lower, components, (_, entry) => entry)
      if (found === 'hidden') return undefined
      if (found !== 'absent') return found
    }
    return undefined
  }
  const names: LowerView['names'] = (path) => {
    if (!stat(path)?.isDirectory()) return []
    const all = new Set<string>()
    for (const lower of lowers) {
      const found = lookIn(lower, piecesOf(path), namesIn)
      if (Array.isArray(found)) for (const name of found) all.add(name)
    }
    // What another layer of the stack hides is looked up one by one.
    return [...all].filter((name) => stat(`${path}/${name}`) !== undefined).sort()
  }
  return { stat, names }
}

const piecesOf = (path: string) => path.split('/').filter((piece) => piece !== '')

function namesIn(path: Buffer, stat: BigIntStats): string[] {
  return stat.isDirectory() ? readdirSync(path, { encoding: 'latin1' as BufferEncoding }) : []
}

/**
 * What `act` makes of an entry; the path it gets is good during the call only. `hidden`: this layer says that nothing is
 * there, whatever is below it. Links on the way are not followed: they hide.
 */
function lookIn<T>(
  lower: string,
  components: readonly string[],
  act: (path: Buffer, stat: BigIntStats) => T,
): T | 'hidden' | 'absent' {
  let path = Buffer.from(lower)
  let opaque = false
  const open: number[] = []
  try {
    for (const [index, component] of components.entries()) {
      path = Buffer.concat([shortened(path, open), Buffer.from(`/${component}`, 'latin1')])
      const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
      if (!stat) return opaque ? 'hidden' : 'absent'
      if (isWhiteout(stat)) return 'hidden'
      if (index === components.length - 1) return act(path, stat)
      if (!stat.isDirectory()) return 'hidden'
      opaque ||= isOpaque(path)
    }
    return 'absent'
  } catch (error) {
    throw unreadable(error, path)
  } finally {
    for (const fd of open) closeSync(fd)
  }
}

/** Bytes of a path beyond which a descriptor takes its place: the kernel takes 4095. */
const LONG = 2048

function shortened(path: Buffer, open: number[]): Buffer {
  if (path.length < LONG) return path
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  const before = open.pop()
  if (before !== undefined) closeSync(before)
  open.push(fd)
  return Buffer.from(`/proc/self/fd/${fd}`)
}

export function isWhiteout(stat: { isCharacterDevice(): boolean; rdev: number | bigint }): boolean {
  return stat.isCharacterDevice() && (stat.rdev === 0 || stat.rdev === 0n)
}

export function isOpaque(path: Buffer): boolean {
  const value = readXattr(path, 'trusted.overlay.opaque')
  return value !== undefined && Buffer.from(value).toString('latin1') === 'y'
}
