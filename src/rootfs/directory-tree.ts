import { lstatSync } from 'node:fs'
import { type DirectoryLevel, type DirectoryStack, openDirectories } from '#host'
import type { HardLinks, LayerDirectory, LayerEntry, LayerTree } from './layer-tree.ts'
import { isOpaque, isWhiteout } from './lower-view.ts'
import { packFile } from './pack-file.ts'
import { unreadable } from './unreadable-layer.ts'

/** A layer that is a directory of this machine: an upper directory, or an extracted layer. Others may be changing it. */
export function openDirectoryTree(directory: string, options: { openLevels?: number } = {}): LayerTree {
  const stack = openDirectories(directory, options)
  return {
    openRoot: () => new OpenDirectory(directory, stack),
    [Symbol.dispose]: () => stack[Symbol.dispose](),
  }
}

class OpenDirectory implements LayerDirectory {
  readonly #directory: string
  readonly #stack: DirectoryStack
  readonly #level: DirectoryLevel

  constructor(directory: string, stack: DirectoryStack) {
    this.#directory = directory
    this.#stack = stack
    this.#level = stack.level
  }

  next(): LayerEntry | undefined {
    const name = this.#level.next()
    return name === undefined ? undefined : new DirectoryEntry(name, this.#level, this)
  }

  open(name: string): LayerDirectory | undefined {
    const entered = this.reading(name, () => this.#stack.enter(name))
    return entered ? new OpenDirectory(this.#directory, this.#stack) : undefined
  }

  reading<T>(name: string, act: () => T): T {
    try {
      return act()
    } catch (error) {
      throw unreadable(error, Buffer.from(`${this.#directory}/${Buffer.from(`${this.#level.path}/${name}`, 'latin1')}`))
    }
  }

  close(): void {
    this.#stack.leave()
  }
}

class DirectoryEntry implements LayerEntry {
  readonly name: string
  readonly #level: DirectoryLevel
  readonly #parent: OpenDirectory
  #stat: ReturnType<typeof statThere>
  #asked = false

  constructor(name: string, level: DirectoryLevel, parent: OpenDirectory) {
    this.name = name
    this.#level = level
    this.#parent = parent
  }

  kind(): ReturnType<LayerEntry['kind']> {
    const stat = this.#find()
    if (!stat) return undefined
    return stat.isDirectory() ? 'directory' : isWhiteout(stat) ? 'whiteout' : 'other'
  }

  isOpaque(): boolean {
    const place = this.#level.safePath(this.name)
    return place !== undefined && isOpaque(place)
  }

  pack(path: string, hardLinks: HardLinks) {
    const stat = this.#find()
    const safePath = this.#level.safePath(this.name)
    return stat && safePath && packFile({ path, stat, safePath }, hardLinks)
  }

  open(): LayerDirectory | undefined {
    return this.#parent.open(this.name)
  }

  #find() {
    if (!this.#asked) {
      this.#asked = true
      const place = this.#level.safePath(this.name)
      this.#stat = this.#parent.reading(this.name, () => place && statThere(place))
    }
    return this.#stat
  }
}

const statThere = (place: Buffer) => lstatSync(place, { bigint: true, throwIfNoEntry: false })
