import { BaleError } from '#base'
import type { Allocator } from './allocator.ts'
import { type DirectoryPlan, encodeDirectoryBlock, planDirectory } from './directory-blocks.ts'
import { type Directory, direntTypeOf, type Node, nidOf } from './image-tree.ts'
import {
  BLOCK,
  encodeInode,
  INODE_SIZE,
  LAYOUT_INLINE,
  LAYOUT_PLAIN,
  MAX_NAME,
  NO_BLOCK,
  ROOT_AT,
  ROOT_XATTR_LIMIT,
  SLOT,
  TYPES,
} from './layout.ts'
import { encodeXattrs, xattrAreaSize } from './xattr-area.ts'

export interface PlacedDirectory {
  directory: Directory
  parent: PlacedDirectory | undefined
  /** Sorted bytewise, with "." and "..". */
  names: string[]
  plan: DirectoryPlan
  xattrBytes: number
  /** The last, partial block follows the inode. */
  inline: boolean
  inodeAt: number
  startBlock: number
  subdirectories: number
  /** Inode numbers of the subdirectories. */
  numbers: Map<string, number>
}

/**
 * Gives every directory its place, parents before their children. The root comes first in the list; its data comes last in
 * the file, so that the image ends with a block that is written.
 */
export function placeDirectories(root: Directory, allocator: Allocator): PlacedDirectory[] {
  const placed: PlacedDirectory[] = []
  const stack: { directory: Directory; parent: PlacedDirectory | undefined; name: string }[] = [
    { directory: root, parent: undefined, name: '' },
  ]
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { directory, parent } = next
    const one = unplaced(directory, parent)
    placed.push(one)
    if (parent) {
      place(one, allocator)
      parent.numbers.set(next.name, one.inodeAt / SLOT)
    }
    for (let index = one.names.length - 1; index >= 0; index--) {
      const name = one.names[index]!
      const child = directory.children.get(name)
      if (child === undefined || typeof child === 'number') continue
      one.subdirectories++
      stack.push({ directory: child, parent: one, name })
    }
  }
  placed[0]!.startBlock = allocator.placeData(placed[0]!.plan.size)
  return placed
}

function unplaced(directory: Directory, parent: PlacedDirectory | undefined): PlacedDirectory {
  const names = ['.', '..', ...directory.children.keys()].sort()
  const long = names.find((name) => name.length > MAX_NAME)
  if (long !== undefined) throw new BaleError('INVALID_TAR', `a file name of ${long.length} bytes is too long`)
  const xattrBytes = xattrAreaSize(directory.xattrs)
  if (!parent && xattrBytes > ROOT_XATTR_LIMIT)
    throw new BaleError(
      'LIMIT_EXCEEDED',
      `the extended attributes of the root directory take ${xattrBytes} bytes, more than ${ROOT_XATTR_LIMIT}`,
    )
  return {
    directory,
    parent,
    names,
    plan: planDirectory(names),
    xattrBytes,
    inline: false,
    inodeAt: ROOT_AT,
    startBlock: NO_BLOCK,
    subdirectories: 0,
    numbers: new Map(),
  }
}

function place(one: PlacedDirectory, allocator: Allocator): void {
  const head = INODE_SIZE + one.xattrBytes
  const tail = one.plan.size % BLOCK
  one.inline = tail > 0 && head + tail <= BLOCK
  const full = one.inline ? one.plan.size - tail : one.plan.size
  one.inodeAt = allocator.placeInode(one.inline ? head + tail : head)
  if (full > 0) one.startBlock = allocator.placeData(full)
}

/** The inode with its attributes and, when it is inline, its last names. */
export function encodeDirectoryInode(one: PlacedDirectory, number: number): Uint8Array {
  const head = INODE_SIZE + one.xattrBytes
  const bytes = new Uint8Array(head + (one.inline ? one.plan.size % BLOCK : 0))
  const { attributes, xattrs } = one.directory
  encodeInode(
    {
      ...attributes,
      type: 'directory',
      layout: one.inline ? LAYOUT_INLINE : LAYOUT_PLAIN,
      size: one.plan.size,
      startBlock: one.startBlock,
      xattrBytes: one.xattrBytes,
      links: 2 + one.subdirectories,
      number,
    },
    bytes,
    0,
  )
  if (one.xattrBytes > 0) encodeXattrs(xattrs, bytes, INODE_SIZE)
  if (one.inline) encodeNames(one, one.plan.starts.length - 1, bytes, head)
  return bytes
}

/** How many whole blocks of names follow from `startBlock` on. */
export function fullBlocks(one: PlacedDirectory): number {
  return one.plan.starts.length - (one.inline ? 1 : 0)
}

/** Writes the names of one block into the (zeroed) target. */
export function encodeNames(one: PlacedDirectory, block: number, target: Uint8Array, at: number): void {
  const range = { from: one.plan.starts[block]!, to: one.plan.starts[block + 1] ?? one.names.length }
  encodeDirectoryBlock(target, at, one.names, range, (name) => entryIn(one, name))
}

function entryIn(one: PlacedDirectory, name: string): { nid: number; type: number } {
  if (name === '.') return { nid: one.inodeAt / SLOT, type: TYPES.directory.dirent }
  if (name === '..') return { nid: (one.parent ?? one).inodeAt / SLOT, type: TYPES.directory.dirent }
  const child = one.directory.children.get(name)!
  if (typeof child === 'number') return { nid: nidOf(child), type: direntTypeOf(child) }
  return { nid: one.numbers.get(name)!, type: TYPES.directory.dirent }
}

/** Directories, and each node once regardless of how many names it has. */
export function countInodes(placed: readonly PlacedDirectory[], links: ReadonlyMap<Node, number>): number {
  const several = new Set<Node>()
  let inodes = placed.length
  for (const { directory } of placed)
    for (const child of directory.children.values()) {
      if (typeof child !== 'number') continue
      if (links.has(child)) several.add(child)
      else inodes++
    }
  return inodes + several.size
}
