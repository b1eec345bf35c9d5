import { closeSync, openSync, readSync } from 'node:fs'
import {
  type ImageAtOnce,
  type ImageEntry,
  openErofsAtOnce,
  type PieceCache,
  type ReadInode,
  type SourceAtOnce,
} from '#format/erofs'
import type { NewTarEntry, ReadyEntry } from '#format/tar'
import { type DataPlaces, extentsWithHoles } from '#host'
import { xattrAsShown } from './image-xattrs.ts'
import type { HardLinks, LayerDirectory, LayerEntry, LayerTree } from './layer-tree.ts'
import { keptXattrs } from './pack-file.ts'
import { unreadableImage } from './unreadable-layer.ts'

/**
 * A layer read from its image, without the kernel's file system: no call for a name or an inode, one for the data of a file.
 * The image must have been verified, as before a mount.
 */
export function openImageTree(path: string, cache: PieceCache): LayerTree {
  const fd = openSync(path, 'r')
  try {
    const image = readingImage(path, () => openErofsAtOnce(sourceOf(fd, path), cache))
    return {
      openRoot: () =>
        openDirectory(
          { image, path },
          readingImage(path, () => image.inode(image.root)),
        ),
      [Symbol.dispose]: () => closeSync(fd),
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function sourceOf(fd: number, path: string): SourceAtOnce {
  return {
    readInto(target, at, length, position) {
      let done = 0
      try {
        while (done < length) {
          const count = readSync(fd, target, at + done, length - done, position + done)
          if (count === 0) break
          done += count
        }
      } catch (error) {
        throw unreadableImage(error, path)
      }
      return done
    },
  }
}

interface Layer {
  image: ImageAtOnce
  path: string
}

function openDirectory(layer: Layer, inode: ReadInode): LayerDirectory {
  const entries = layer.image.entries(inode)[Symbol.iterator]()
  return {
    next() {
      const found = readingImage(layer.path, () => entries.next())
      return found.done ? undefined : new ImageTreeEntry(layer, found.value)
    },
    close: () => undefined,
  }
}

/** Damage is reported as what it is to the user: a layer of the store. */
function readingImage<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw unreadableImage(error, path)
  }
}

class ImageTreeEntry implements LayerEntry {
  readonly name: string
  readonly #layer: Layer
  readonly #entry: ImageEntry
  #found: ReadInode | undefined

  constructor(layer: Layer, entry: ImageEntry) {
    this.name = entry.name
    this.#layer = layer
    this.#entry = entry
  }

  get #inode(): ReadInode {
    this.#found ??= readingImage(this.#layer.path, () => this.#layer.image.inode(this.#entry.nid))
    return this.#found
  }

  kind(): 'directory' | 'whiteout' | 'other' {
    const { type } = this.#entry
    if (type === 'directory') return 'directory'
    if (type !== 'character') return 'other'
    const { deviceMajor, deviceMinor } = this.#inode
    return deviceMajor === 0 && deviceMinor === 0 ? 'whiteout' : 'other'
  }

  isOpaque(): boolean {
    const value = this.#xattrs().get('trusted.overlay.opaque')
    return value !== undefined && Buffer.from(value).toString('latin1') === 'y'
  }

  pack(path: string, hardLinks: HardLinks): ReadyEntry | undefined {
    const inode = this.#inode
    const { type } = inode
    if (type === 'socket') return undefined
    const entry: NewTarEntry = {
      ...{ name: path, type, mode: inode.permissions, uid: inode.uid, gid: inode.gid },
      ...{ mtime: inode.mtime, mtimeNanoseconds: inode.mtimeNanoseconds },
    }
    if (type !== 'directory' && inode.links > 1) {
      const key = `${this.#layer.path}:${inode.nid}`
      const first = hardLinks.get(key)
      if (first !== undefined) return { entry: { ...entry, type: 'hardlink', linkName: first } }
      hardLinks.set(key, path)
    }
    return readingImage(this.#layer.path, () => this.#packOne(inode, entry))
  }

  open(): LayerDirectory {
    return openDirectory(this.#layer, this.#inode)
  }

  #packOne(inode: ReadInode, entry: NewTarEntry): ReadyEntry {
    const { image } = this.#layer
    if (inode.type === 'symlink') return { entry: { ...entry, linkName: image.linkTarget(inode) } }
    if (inode.xattrBytes > 0) entry.xattrs = keptXattrs(this.#xattrs())
    if (inode.type === 'character' || inode.type === 'block')
      return { entry: { ...entry, deviceMajor: inode.deviceMajor, deviceMinor: inode.deviceMinor } }
    if (inode.type !== 'file' || inode.size === 0) return { entry }
    const { size } = inode
    const sparse = extentsWithHoles(size, () => placesOf(image, inode))
    return { entry: { ...entry, size, ...(sparse && { sparse }) }, data: { readInto: this.#readInto } }
  }

  readonly #readInto = (target: Uint8Array, at: number, length: number, offset: number): void =>
    readingImage(this.#layer.path, () => this.#layer.image.readInto(this.#inode, target, at, length, offset))

  #xattrs(): Map<string, Uint8Array> {
    const stored = readingImage(this.#layer.path, () => this.#layer.image.xattrs(this.#inode))
    return new Map([...stored].map(([name, value]) => [name, xattrAsShown(name, value)]))
  }
}

/** As lseek(2) answers for a mounted image. */
function placesOf(image: ImageAtOnce, inode: ReadInode): DataPlaces {
  const extents = image.extents(inode)
  const at = (position: number) => extents.find(({ offset, length }) => offset + length > position)
  return {
    nextData: (position) => Math.max(position, at(position)?.offset ?? inode.size),
    nextHole(position) {
      const found = at(position)
      return found && found.offset <= position ? found.offset + found.length : position
    },
  }
}
