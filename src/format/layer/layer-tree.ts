import { BaleError } from '#base'
import type { Directory, InodeAttributes, Node, Xattrs } from '../erofs/index.ts'
import { changeOf, createWalkBound, linkTargetOf, quotedName, type TarEntry, tarError } from '../tar/index.ts'
import { imageXattrs } from './entry-shape.ts'

interface LayerDirectory extends Directory {
  children: Map<string, Node | LayerDirectory>
  opaque?: boolean
  /** Names that lower layers' entries lose here. */
  whiteouts?: Set<string>
}

/** A hard link whose target no earlier entry of the layer has. */
interface OpenLink {
  /** Takes the place of a node in the tree. */
  placeholder: Node
  target: string[]
  entry: TarEntry
}

/** Directories that no entry describes, as docker makes them. */
const IMPLIED: InodeAttributes = {
  type: 'directory',
  permissions: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  mtimeNanoseconds: 0,
}

/** As many symlinks as the kernel follows in one path. */
const MAX_SYMLINKS = 40

/**
 * The names of a layer while its entries come in. A later entry replaces an earlier one of the same name; a directory on
 * a directory keeps the children. Whiteouts affect lower layers only, so their order among the entries of
 * the layer does not matter. Parents that are symlinks are followed inside the layer, never outside.
 */
export class LayerTree {
  readonly root: LayerDirectory = newDirectory()
  /** How many names a node has; a node that is not in the map has one. */
  readonly links = new Map<Node, number>()
  readonly #bound = createWalkBound()
  readonly #symlinks = new Map<Node, string>()
  readonly #openLinks: OpenLink[] = []
  readonly #whiteoutParents: LayerDirectory[] = []
  #cached: { path: string; directory: LayerDirectory } | undefined

  /**
   * `node` is the written inode of everything but directories and hard links. Throws INVALID_TAR or LIMIT_EXCEEDED for
   * hostile names.
   */
  add(entry: TarEntry, node: Node | undefined): void {
    const change = changeOf(entry)
    if (change.kind === 'ignored') return
    if (change.kind === 'opaque') {
      this.#parent(entry, change.path).opaque = true
      return
    }
    const name = change.path.at(-1)
    if (name === undefined) {
      setAttributes(this.root, entry)
      return
    }
    const parent = this.#parent(entry, change.path.slice(0, -1))
    if (change.kind === 'whiteout') this.#addWhiteout(parent, name)
    else if (entry.type === 'directory') this.#addDirectory(parent, name, entry)
    else if (entry.type === 'hardlink') this.#addLink(parent, name, entry)
    else {
      if (entry.type === 'symlink') this.#symlinks.set(node!, entry.linkName)
      this.#put(parent, name, node!)
    }
  }

  /**
   * Throws for hard links whose target comes later in the tar, or is not in this layer: a copy of a lower layer's file
   * would make the image depend on more than the tar (decision 0007).
   */
  checkLinks(): void {
    for (const { placeholder, entry, target } of this.#openLinks) {
      if ((this.links.get(placeholder) ?? 1) <= 0) continue
      const comesLater = this.#lookup(target, entry) !== undefined
      const why = comesLater ? 'which comes later in the archive' : 'which the layer does not have'
      throw tarError(`is a hard link to ${quotedName(target.join('/'))}, ${why}`, entry.name)
    }
  }

  /** Puts whiteouts and opaque marks into the tree; `whiteout` writes the one inode they share. */
  applyWhiteouts(whiteout: () => Node): void {
    let shared: Node | undefined
    let count = 0
    const live = new Set(this.#directories())
    for (const parent of this.#whiteoutParents.filter((one) => live.has(one))) {
      for (const name of parent.whiteouts!) {
        const child = parent.children.get(name)
        if (child === undefined) {
          shared ??= whiteout()
          count++
          parent.children.set(name, shared)
        } else if (typeof child !== 'number') child.opaque = true
      }
    }
    if (shared !== undefined && count > 1) this.links.set(shared, count)
    for (const directory of live)
      if (directory.opaque)
        directory.xattrs = new Map([...directory.xattrs, ['trusted.overlay.opaque', Buffer.from('y')]])
  }

  #addWhiteout(parent: LayerDirectory, hidden: string): void {
    if (!parent.whiteouts) {
      parent.whiteouts = new Set()
      this.#whiteoutParents.push(parent)
    }
    parent.whiteouts.add(hidden)
  }

  #addDirectory(parent: LayerDirectory, name: string, entry: TarEntry): void {
    const existing = parent.children.get(name)
    if (typeof existing === 'object') {
      setAttributes(existing, entry)
      return
    }
    const directory = newDirectory()
    setAttributes(directory, entry)
    this.#put(parent, name, directory)
  }

  #addLink(parent: LayerDirectory, name: string, entry: TarEntry): void {
    const path = linkTargetOf(entry)
    const target = this.#lookup(path, entry)
    if (typeof target === 'object')
      throw tarError(`is a hard link to the directory ${quotedName(entry.linkName)}`, entry.name)
    if (target !== undefined) {
      if (parent.children.get(name) === target) return
      this.#put(parent, name, target)
      this.links.set(target, (this.links.get(target) ?? 1) + 1)
      return
    }
    const placeholder = -(this.#openLinks.length + 1) as Node
    this.#openLinks.push({ placeholder, target: path, entry })
    this.#put(parent, name, placeholder)
  }

  #put(parent: LayerDirectory, name: string, child: Node | LayerDirectory): void {
    const existing = parent.children.get(name)
    if (existing !== undefined) {
      this.#cached = undefined
      this.#drop(existing)
    }
    parent.children.set(name, child)
  }

  #drop(child: Node | LayerDirectory): void {
    const stack = [child]
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      // A node without a count has one name and may get another only while it is in the tree.
      if (typeof next === 'number') this.links.set(next, (this.links.get(next) ?? 1) - 1)
      else for (const one of next.children.values()) stack.push(one)
    }
  }

  #parent(entry: TarEntry, components: string[]): LayerDirectory {
    const path = components.join('/')
    if (this.#cached?.path === path) return this.#cached.directory
    const directory = this.#walk(components, entry, (parent, name) => {
      this.#bound.implied(entry.name)
      const implied = newDirectory()
      parent.children.set(name, implied)
      return implied
    })
    this.#cached = { path, directory: directory! }
    return directory!
  }

  /** The last component is not followed when it is a symlink, as link(2) does. */
  #lookup(components: readonly string[], entry: TarEntry): Node | LayerDirectory | undefined {
    const parent = this.#walk(components.slice(0, -1), entry, () => undefined)
    return components.length === 0 ? this.root : parent?.children.get(components.at(-1)!)
  }

  #walk(
    components: readonly string[],
    entry: TarEntry,
    missing: (parent: LayerDirectory, name: string) => LayerDirectory | undefined,
  ): LayerDirectory | undefined {
    let way = [this.root]
    let symlinks = 0
    const left = components.toReversed()
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      this.#bound.walked(1, entry.name)
      if (name === '' || name === '.') continue
      if (name === '..') {
        if (way.length > 1) way.pop()
        continue
      }
      const here = way.at(-1)!
      const child = here.children.get(name) ?? missing(here, name)
      if (child === undefined) return undefined
      if (typeof child !== 'number') {
        way.push(child)
        continue
      }
      const target = this.#symlinks.get(child)
      if (target === undefined) throw tarError(`its parent ${quotedName(name)} is not a directory`, entry.name)
      if (++symlinks > MAX_SYMLINKS) throw tarError('goes through too many symbolic links', entry.name)
      this.#bound.walked(target.length, entry.name)
      if (target.startsWith('/')) way = [this.root]
      left.push(...target.split('/').reverse())
    }
    return way.at(-1)!
  }

  #directories(): LayerDirectory[] {
    const all = [this.root]
    for (let index = 0; index < all.length; index++)
      for (const child of all[index]!.children.values()) if (typeof child !== 'number') all.push(child)
    return all
  }
}

export function attributesOf(entry: TarEntry): InodeAttributes {
  if (entry.type === 'hardlink') throw new BaleError('INTERNAL', 'a hard link has no inode of its own')
  const { type, mode: permissions, uid, gid, mtime, mtimeNanoseconds, deviceMajor, deviceMinor } = entry
  return { type, permissions, uid, gid, mtime, mtimeNanoseconds, deviceMajor, deviceMinor }
}

function setAttributes(directory: LayerDirectory, entry: TarEntry): void {
  directory.attributes = attributesOf(entry)
  directory.xattrs = imageXattrs(entry.xattrs)
}

function newDirectory(): LayerDirectory {
  return { attributes: IMPLIED, xattrs: NO_XATTRS, children: new Map() }
}

const NO_XATTRS: Xattrs = new Map()
