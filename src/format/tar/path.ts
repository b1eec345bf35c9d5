import type { TarEntry } from './entry.ts'
import { tarError } from './tar-error.ts'

/** Longest name component of Linux file systems and of EROFS, in bytes. */
const NAME_MAX = 255
/** PATH_MAX without the closing NUL: a longer path could not be opened. It bounds the depth as well (T25). */
const PATH_LIMIT = 4095

/**
 * The clean components of a tar name, relative to the layer's root; `[]` is the root itself. Leading slashes, `.` and
 * doubled slashes are removed (T02); `..` is refused anywhere (T01), so that no reader has to guess where it leads.
 */
export function normalisePath(name: string): string[] {
  if (name.length > PATH_LIMIT) throw tarError(`has a path of ${name.length} bytes; Linux takes ${PATH_LIMIT}`, name)
  const components: string[] = []
  for (const component of name.split('/')) {
    if (component === '' || component === '.') continue
    if (component === '..') throw tarError('points outside the archive with ".."', name)
    if (component.length > NAME_MAX)
      throw tarError(`has a name of ${component.length} bytes; Linux takes ${NAME_MAX}`, name)
    if (component.includes('\0')) throw tarError('has a NUL byte in its name', name)
    components.push(component)
  }
  return components
}

const WHITEOUT = '.wh.'
const AUFS = '.wh..wh.'
const OPAQUE = '.wh..wh..opq'

/** Source: image-spec layer.md, "Whiteouts". */
export type Whiteout =
  /** Hides this name of the lower layers. */
  | { kind: 'whiteout'; name: string }
  /** Hides everything that lower layers have in its directory. */
  | { kind: 'opaque' }
  /** Metadata of aufs (`.wh..wh.plnk`, `.wh..wh.aufs`): never visible, without effect (T09). */
  | { kind: 'ignored' }

/** What a base name means as a whiteout; undefined for an ordinary name. Throws for `.wh.`, `.wh..` and `.wh...` (T08). */
export function parseWhiteout(baseName: string): Whiteout | undefined {
  if (!baseName.startsWith(WHITEOUT)) return undefined
  if (baseName === OPAQUE) return { kind: 'opaque' }
  if (baseName.startsWith(AUFS)) return { kind: 'ignored' }
  const name = baseName.slice(WHITEOUT.length)
  if (name === '' || name === '.' || name === '..') throw tarError('is a malformed whiteout', baseName)
  return { kind: 'whiteout', name }
}

/** What an entry of a layer does. All readers of layers (image writer, extraction, scan) use this, so they agree (T01). */
export type Change =
  /** Adds or replaces; `path` is `[]` for the root, which is always a directory. */
  | { kind: 'entry'; path: string[] }
  /** `path` is the hidden name itself, without `.wh.`. */
  | { kind: 'whiteout'; path: string[] }
  /** `path` is the directory. */
  | { kind: 'opaque'; path: string[] }
  | { kind: 'ignored' }

/** Judges name and type of a layer's entry. Throws INVALID_TAR (T01, T05, T08). */
export function changeOf(entry: Pick<TarEntry, 'name' | 'type'>): Change {
  const path = normalisePath(entry.name)
  if (path.length === 0) {
    if (entry.type !== 'directory')
      throw tarError(`the root of a layer is a ${entry.type}, not a directory`, entry.name)
    return { kind: 'entry', path }
  }
  if (!entry.name.includes(WHITEOUT)) return { kind: 'entry', path }
  const parents = path.slice(0, -1)
  for (const parent of parents) {
    const whiteout = parseWhiteout(parent)
    if (whiteout?.kind === 'whiteout') throw tarError('stands below a whiteout', entry.name)
    if (whiteout) return { kind: 'ignored' }
  }
  return judgeBaseName(entry, parents, path.at(-1)!, path)
}

function judgeBaseName(
  entry: Pick<TarEntry, 'name' | 'type'>,
  parents: string[],
  baseName: string,
  path: string[],
): Change {
  const whiteout = parseWhiteout(baseName)
  // Old aufs graph drivers wrote several whiteouts of a layer as hard links of one.
  const isMarker = entry.type === 'file' || entry.type === 'hardlink'
  switch (whiteout?.kind) {
    case undefined:
      return { kind: 'entry', path }
    case 'ignored':
      return { kind: 'ignored' }
    case 'opaque':
      return isMarker ? { kind: 'opaque', path: parents } : { kind: 'ignored' }
    case 'whiteout':
      if (!isMarker) throw tarError(`is a whiteout, but a ${entry.type}`, entry.name)
      return { kind: 'whiteout', path: [...parents, whiteout.name] }
  }
}

/**
 * The path that a hard link points to, in the layer's own tree; the caller looks it up there and nowhere else. Leading
 * slashes go as they do in names. Throws for `..`, for the root and for a link to itself (T06, T07).
 */
export function linkTargetOf(entry: Pick<TarEntry, 'name' | 'linkName'>): string[] {
  let target: string[]
  try {
    target = normalisePath(entry.linkName)
  } catch (error) {
    throw tarError(`is a hard link to outside the archive: ${JSON.stringify(entry.linkName)}`, entry.name, error)
  }
  if (target.length === 0) throw tarError('is a hard link to the root directory', entry.name)
  if (target.join('/') === normalisePath(entry.name).join('/')) throw tarError('is a hard link to itself', entry.name)
  return target
}
