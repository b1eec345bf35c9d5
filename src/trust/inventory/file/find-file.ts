import { BaleError, followLinks, type OperationOptions, printable } from '#base'
import type { Analyser } from '../analyser.ts'
import { apk, dpkg, rpm } from '../distributions/index.ts'
import type { LayerChange, LayerFiles, LayerVisitor } from '../layers/index.ts'
import { mergedPath } from '../merged-path.ts'
import type { FoundPackage } from '../model.ts'
import { pathOfText, textOfPath } from '../path-text.ts'
import { createPathTree, type PathTree } from '../path-tree.ts'
import { createImageFiles } from '../take/index.ts'

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
 * Finds a path in the layers of an image, from the bottom up, following links inside the image. `layers` are read twice.
 * Throws PATH_NOT_FOUND when no layer ever had it, INVALID_ARGUMENT for a path through more than forty links.
 */
export async function findFile(
  layers: readonly LayerFiles[],
  path: string,
  options: OperationOptions = {},
): Promise<FoundFile> {
  const asked = resolveLinks(withoutSlashes(pathOfText(path)), await linksOf(layers, options))
  const seen = await lookThrough(layers, asked, options)
  if (seen.history.length > 0) return { path: textOfPath(asked), ...seen }
  throw new BaleError('PATH_NOT_FOUND', `the image has no ${printable(path)}`)
}

const withoutSlashes = (path: string) =>
  path
    .split('/')
    .filter((word) => word !== '' && word !== '.')
    .join('/')

/** The symbolic links of the image, after all layers. No file is read for them. */
async function linksOf(layers: readonly LayerFiles[], options: OperationOptions): Promise<PathTree<string>> {
  const links = createPathTree<string>()
  const visitor: LayerVisitor = {
    wantsTargets: true,
    wants: () => undefined,
    content: async () => undefined,
    change({ kind, path, ...change }) {
      if (kind === 'opaque') links.removeBelow(path)
      else if (kind === 'directory') links.removeAt(path)
      else links.remove(path)
      if ('target' in change && change.target !== undefined) links.set(path, change.target)
    },
  }
  for (const layer of layers) await layer.visit(visitor, options)
  return links
}

async function lookThrough(
  layers: readonly LayerFiles[],
  path: string,
  options: OperationOptions,
): Promise<Omit<FoundFile, 'path'>> {
  const owners = createImageFiles(ownersOf(path))
  const history: { layer: number; act: 'added' | 'replaced' | 'removed' }[] = []
  let now: Pick<FoundFile, 'kind' | 'size'> = { kind: undefined }

  for (const [layer, files] of layers.entries()) {
    const changes: LayerChange[] = []
    await owners.addLayer(observed(files, path, changes), options)
    apply(layer, changes)
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

  const names = [...owners.files()].flatMap(([, { found }]) => found.packages?.map(({ name }) => name) ?? [])
  return { ...now, history, owners: [...new Set(names)].sort() }
}

/** The same layer; `changes` receives what it does to the path and to directories above it. */
function observed(files: LayerFiles, path: string, changes: LayerChange[]): LayerFiles {
  return {
    visit: (visitor, options) =>
      files.visit(
        {
          ...visitor,
          change(change, wanted) {
            if (isAbove(change.path, path) || change.path === path) changes.push(change)
            visitor.change(change, wanted)
          },
        },
        options,
      ),
  }
}

/** The databases of distributions, read for nothing but the packages that installed the path. */
function ownersOf(path: string): Analyser[] {
  return [dpkg, apk, rpm].map((database) => ({
    ...database,
    analyse: async (file, beside) => {
      const { owned = [] } = await database.analyse(file, beside)
      const packages: FoundPackage[] = []
      for (const [one, name] of owned)
        if (mergedPath(one) === mergedPath(path)) packages.push({ type: 'deb', name, version: '' })
      return { packages }
    },
  }))
}

const isAbove = (directory: string, path: string) => directory === '' || path.startsWith(`${directory}/`)

/** Whether a change takes away what the layers below have at a path. */
function hides({ kind, path: changed }: LayerChange, path: string): boolean {
  if (kind === 'opaque') return isAbove(changed, path)
  if (kind === 'whiteout') return changed === path || isAbove(changed, path)
  return kind !== 'directory' && isAbove(changed, path)
}

/** The last part is a link itself when it is asked for. */
function resolveLinks(path: string, links: { get(path: string): string | undefined }): string {
  const resolved = followLinks(path, {
    look: (at, isLast) => ({ link: isLast ? undefined : links.get(at) }),
    tooMany: () =>
      new BaleError('INVALID_ARGUMENT', `the path ${printable(path)} goes through too many symbolic links`),
  })
  return resolved ?? path
}
