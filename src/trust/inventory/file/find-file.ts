import { BaleError, followLinks, type OperationOptions, printable } from '#base'
import type { ReadableFile } from '../analyser.ts'
import { apk, dpkg, rpm } from '../distributions/index.ts'
import type { LayerChange, LayerFiles } from '../layers/index.ts'
import { pathOfText, textOfPath } from '../path-text.ts'
import { createPathTree } from '../path-tree.ts'

/** What layers did to one path of an image. */
export interface FoundFile {
  /** Without links, and without a leading slash. */
  readonly path: string
  /** Undefined when the path is not in the image: the uppermost layer that says something of it took it away. */
  readonly kind: 'file' | 'directory' | 'symlink' | 'other' | undefined
  /** Bytes of a file. */
  readonly size?: number
  /** What each layer that says something of the path did, from the bottom up: by index. */
  readonly history: readonly { readonly layer: number; readonly act: 'added' | 'replaced' | 'removed' }[]
  /** Names of the packages of the distribution that say that they installed it. */
  readonly owners: readonly string[]
}

/**
 * Finds a path in the layers of an image, from the bottom up, following links inside the image. `layers` can be read more than
 * once. Throws PATH_NOT_FOUND when no layer ever had it.
 */
export async function findFile(
  layers: readonly LayerFiles[],
  path: string,
  options: OperationOptions = {},
): Promise<FoundFile> {
  let asked = withoutSlashes(pathOfText(path))
  for (;;) {
    const { resolved, ...seen } = await lookThrough(layers, asked, options)
    if (resolved === asked) {
      if (seen.history.length > 0) return { path: textOfPath(asked), ...seen }
      throw new BaleError('PATH_NOT_FOUND', `the image has no ${printable(path)}`)
    }
    // At most forty links, and each round ends behind all of them.
    asked = resolved
  }
}

const withoutSlashes = (path: string) =>
  path
    .split('/')
    .filter((word) => word !== '' && word !== '.')
    .join('/')

type Looked = Omit<FoundFile, 'path'> & { resolved: string }

async function lookThrough(layers: readonly LayerFiles[], path: string, options: OperationOptions): Promise<Looked> {
  const links = createPathTree<string>()
  const owners = createPathTree<readonly string[]>()
  const history: { layer: number; act: 'added' | 'replaced' | 'removed' }[] = []
  let now: Pick<FoundFile, 'kind' | 'size'> = { kind: undefined }

  for (const [layer, files] of layers.entries()) {
    const changes: LayerChange[] = []
    const fresh = new Map<string, readonly string[]>()
    await files.visit(
      {
        wantsTargets: true,
        change(change) {
          if (isAbove(change.path, path) || change.path === path) changes.push(change)
          hide(change)
          if (change.kind === 'symlink' && change.target !== undefined) links.set(change.path, change.target)
          return change.kind === 'file' && DATABASES.some((one) => one.wants(change)) ? {} : undefined
        },
        content: async (file) => void fresh.set(file.path, await ownersIn(file, path)),
        link: (linkPath) => (linkPath === path ? 'content' : 'nothing'),
      },
      options,
    )
    for (const [file, names] of fresh) owners.set(file, names)
    apply(layer, changes)
  }

  function hide(change: LayerChange): void {
    for (const tree of [links, owners]) {
      if (change.kind === 'opaque') tree.removeBelow(change.path)
      else if (change.kind === 'directory') tree.removeAt(change.path)
      else tree.remove(change.path)
    }
  }

  /** What hides comes before what the same layer has there, whatever their order. */
  function apply(layer: number, changes: readonly LayerChange[]): void {
    const before = now.kind
    if (changes.some((one) => hides(one, path))) now = { kind: undefined }
    const own = changes.findLast((one) => one.path === path && one.kind !== 'whiteout' && one.kind !== 'opaque')
    if (own && own.kind !== 'whiteout' && own.kind !== 'opaque')
      now = own.kind === 'file' ? { kind: 'file', size: own.size } : { kind: own.kind }
    if (own) history.push({ layer, act: before === undefined ? 'added' : 'replaced' })
    else if (before !== undefined && now.kind === undefined) history.push({ layer, act: 'removed' })
  }

  const names = [...owners.entries()].flatMap(([, list]) => list)
  return { resolved: resolveLinks(path, links), ...now, history, owners: [...new Set(names)].sort() }
}

const DATABASES = [dpkg, apk, rpm]

const isAbove = (directory: string, path: string) => directory === '' || path.startsWith(`${directory}/`)

/** Whether a change takes away what the layers below have at a path. */
function hides({ kind, path: changed }: LayerChange, path: string): boolean {
  if (kind === 'opaque') return isAbove(changed, path)
  if (kind === 'whiteout') return changed === path || isAbove(changed, path)
  return kind !== 'directory' && isAbove(changed, path)
}

async function ownersIn(file: ReadableFile, path: string): Promise<string[]> {
  const database = DATABASES.find((one) => one.wants(file))!
  const { owned = [] } = await database.analyse(file, () => undefined)
  const names: string[] = []
  for (const [one, name] of owned) if (merged(one) === merged(path)) names.push(name)
  return names
}

/** Packages say `/lib/x` where /lib is a link to usr/lib. */
const merged = (path: string) => (/^(?:bin|sbin|lib\w*)\//.test(path) ? `usr/${path}` : path)

/** The last part is a link itself when it is asked for. */
function resolveLinks(path: string, links: { get(path: string): string | undefined }): string {
  const resolved = followLinks(path, {
    look: (at, isLast) => ({ link: isLast ? undefined : links.get(at) }),
    tooMany: () =>
      new BaleError('INVALID_ARGUMENT', `the path ${printable(path)} goes through too many symbolic links`),
  })
  return resolved ?? path
}
