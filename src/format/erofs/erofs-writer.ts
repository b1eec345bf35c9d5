import { BaleError } from '#base'
import { createAllocator } from './allocator.ts'
import { crc32c } from './crc32c.ts'
import { encodeDirectoryBlock, planDirectory } from './directory-blocks.ts'
import {
  BLOCK,
  COMPAT_CHECKSUM,
  COMPAT_MTIME,
  encodeInode,
  INODE_SIZE,
  type InodeAttributes,
  LAYOUT_INLINE,
  LAYOUT_PLAIN,
  LINKS_OFFSET,
  MAGIC,
  MAX_NAME,
  NO_BLOCK,
  ROOT_AT,
  ROOT_NID,
  ROOT_XATTR_LIMIT,
  SLOT,
  SUPERBLOCK_AT,
  TYPES,
} from './layout.ts'
import { placeNode } from './place-node.ts'
import type { RandomSink } from './random-access.ts'
import { encodeXattrs, type Xattrs, xattrAreaSize } from './xattr-area.ts'

/** A written inode that is not a directory: its number times eight plus the type of its directory entries. */
export type Node = number & { readonly node: unique symbol }

/** Where data bytes, taken one after the other, lie in a file with holes. Ascending, not overlapping, inside the size. */
export type Extents = readonly { offset: number; length: number }[]

export interface Directory {
  attributes: InodeAttributes
  xattrs: Xattrs
  /** Names without "." and "..". */
  children: Map<string, Node | Directory>
}

/**
 * Writes an image in one pass. Nodes go out as they are added; directories, known only at the end, go last; then the
 * link counts that are not 1 are patched and block 0 is written. One node at a time: all data of a file before the next.
 */
export interface ErofsWriter {
  /** A symlink's target in `linkTarget`; a file's `size` (data follows by `data`, exactly `size` bytes or the extents' sum). */
  addNode(
    attributes: InodeAttributes,
    content?: { xattrs?: Xattrs; size?: number; linkTarget?: string; extents?: Extents },
  ): Node
  /** The last node's next bytes. The bytes are not kept after the call (or its promise). */
  data(bytes: Uint8Array): void | Promise<void>
  /** Writes the tree. `links` names the nodes whose count of names is not 1. */
  finish(root: Directory, links?: ReadonlyMap<Node, number>): Promise<{ imageSize: number; inodes: number }>
}

export function nidOf(node: Node): number {
  return Math.floor(node / 8)
}

interface Current {
  inline: boolean
  position: number
  /** Bytes left in the run that `position` is in. */
  left: number
  /** Further runs of a file with holes. */
  rest: { position: number; length: number }[]
}

export function createErofsWriter(sink: RandomSink): ErofsWriter {
  const allocator = createAllocator()
  let openBlock = 0
  let open = new Uint8Array(BLOCK)
  let current: Current | undefined
  let number = 1
  const pending: Promise<void>[] = []

  function flushOpen(): void {
    if (openBlock === 0) return
    const written = sink.writeAt(openBlock * BLOCK, open)
    if (written) {
      pending.push(written)
      open = new Uint8Array(BLOCK)
    } else open.fill(0)
    openBlock = 0
  }

  /** Room for an inode's bytes: the open block where it fits, else blocks of their own of which the last stays open. */
  function putInode(position: number, bytes: Uint8Array): void {
    const block = Math.floor(position / BLOCK)
    let done = 0
    if (block !== openBlock) {
      flushOpen()
      const whole = Math.max(0, Math.ceil(bytes.length / BLOCK) - 1) * BLOCK
      if (whole > 0) {
        const written = sink.writeAt(position, bytes.subarray(0, whole))
        if (written) pending.push(written)
        done = whole
      }
      openBlock = block + whole / BLOCK
    }
    open.set(bytes.subarray(done), (position + done) % BLOCK)
  }

  function requireComplete(): void {
    if (current) throw new BaleError('INTERNAL', `a file of the image misses ${current.left} bytes of data`)
  }

  async function settle(): Promise<void> {
    await Promise.all(pending.splice(0))
  }

  function addNode(
    attributes: InodeAttributes,
    content: { xattrs?: Xattrs; size?: number; linkTarget?: string; extents?: Extents } = {},
  ): Node {
    requireComplete()
    const { xattrs = NO_XATTRS, linkTarget, extents } = content
    const size = linkTarget === undefined ? (content.size ?? 0) : linkTarget.length
    const xattrBytes = xattrAreaSize(xattrs)
    const place = placeNode(allocator, { size, xattrBytes, holed: extents !== undefined })
    if (allocator.end >= NO_BLOCK) throw new BaleError('LIMIT_EXCEEDED', 'a layer image cannot be larger than 16 TiB')
    const head = new Uint8Array(INODE_SIZE + xattrBytes)
    encodeInode(
      {
        ...attributes,
        layout: place.inline ? LAYOUT_INLINE : LAYOUT_PLAIN,
        size,
        startBlock: place.inline || place.dataAt === undefined ? NO_BLOCK : place.dataAt / BLOCK,
        xattrBytes,
        links: 1,
        number: number++,
      },
      head,
      0,
    )
    if (xattrBytes > 0) encodeXattrs(xattrs, head, INODE_SIZE)
    putInode(place.inodeAt, head)
    if (place.dataAt !== undefined) begin(place.inline, place.dataAt, size, extents)
    if (linkTarget !== undefined) {
      const written = data(Buffer.from(linkTarget, 'latin1'))
      if (written) pending.push(written)
    }
    return ((place.inodeAt / SLOT) * 8 + TYPES[attributes.type].dirent) as Node
  }

  function begin(inline: boolean, dataAt: number, size: number, extents: Extents | undefined): void {
    const runs = extents
      ? extents.filter((one) => one.length > 0).map((one) => ({ position: dataAt + one.offset, length: one.length }))
      : [{ position: dataAt, length: size }]
    const first = runs.shift()
    if (first) current = { inline, position: first.position, left: first.length, rest: runs }
  }

  function data(bytes: Uint8Array): void | Promise<void> {
    let from = 0
    while (from < bytes.length) {
      if (!current) throw new BaleError('INTERNAL', 'a file of the image gets more data than it announced')
      const part = bytes.subarray(from, from + current.left)
      if (current.inline) open.set(part, current.position % BLOCK)
      else {
        const written = sink.writeAt(current.position, part)
        if (written) pending.push(written)
      }
      from += part.length
      current.position += part.length
      current.left -= part.length
      if (current.left > 0) continue
      const next = current.rest.shift()
      current = next ? { ...current, position: next.position, left: next.length } : undefined
    }
    if (pending.length > 0) return settle()
  }

  async function finish(root: Directory, links: ReadonlyMap<Node, number> = new Map()) {
    requireComplete()
    const placed = placeDirectories(root)
    const block = new Uint8Array(BLOCK)
    const seen = new Set<number>()
    let inodes = placed.length
    for (const one of placed) {
      for (const child of one.directory.children.values()) {
        if (typeof child !== 'number') continue
        if (!links.has(child)) inodes++
        else if (!seen.has(child)) {
          seen.add(child)
          inodes++
        }
      }
    }
    for (const one of placed) {
      const head = new Uint8Array(INODE_SIZE + one.xattrBytes + (one.inline ? one.plan.size % BLOCK : 0))
      encodeInode(
        {
          ...one.directory.attributes,
          type: 'directory',
          layout: one.inline ? LAYOUT_INLINE : LAYOUT_PLAIN,
          size: one.plan.size,
          startBlock: one.startBlock,
          xattrBytes: one.xattrBytes,
          links: 2 + one.subdirectories,
          number: one === placed[0] ? 0 : number++,
        },
        head,
        0,
      )
      if (one.xattrBytes > 0) encodeXattrs(one.directory.xattrs, head, INODE_SIZE)
      const entryOf = (name: string) => entryIn(one, name)
      for (const [index, from] of one.plan.starts.entries()) {
        const range = { from, to: one.plan.starts[index + 1] ?? one.names.length }
        if (one.inline && index === one.plan.starts.length - 1) {
          encodeDirectoryBlock(head, INODE_SIZE + one.xattrBytes, one.names, range, entryOf)
        } else {
          block.fill(0)
          encodeDirectoryBlock(block, 0, one.names, range, entryOf)
          await sink.writeAt((one.startBlock + index) * BLOCK, block)
        }
      }
      if (one === placed[0]) one.head = head
      else putInode(one.inodeAt, head)
      if (pending.length > 0) await settle()
    }
    flushOpen()
    await settle()
    for (const [node, count] of links) {
      if (count <= 1) continue
      const bytes = new Uint8Array(4)
      new DataView(bytes.buffer).setUint32(0, count, true)
      await sink.writeAt(nidOf(node) * SLOT + LINKS_OFFSET, bytes)
    }
    await sink.writeAt(0, firstBlock(placed[0]!.head!, { inodes, blocks: allocator.end }))
    return { imageSize: allocator.end * BLOCK, inodes }
  }

  /** Root first in the list; its data last in the file, so that the image ends with a written block. */
  function placeDirectories(root: Directory): PlacedDirectory[] {
    const placed: PlacedDirectory[] = []
    const stack: { directory: Directory; parent: PlacedDirectory | undefined; name: string }[] = [
      { directory: root, parent: undefined, name: '' },
    ]
    for (let next = stack.pop(); next; next = stack.pop()) {
      const { directory, parent } = next
      const names = ['.', '..', ...directory.children.keys()].sort()
      const long = names.find((name) => name.length > MAX_NAME)
      if (long !== undefined) throw new BaleError('INVALID_TAR', `a file name of ${long.length} bytes is too long`)
      const plan = planDirectory(names)
      const xattrBytes = xattrAreaSize(directory.xattrs)
      const one: PlacedDirectory = {
        directory,
        parent,
        names,
        plan,
        xattrBytes,
        inline: false,
        inodeAt: ROOT_AT,
        startBlock: NO_BLOCK,
        subdirectories: 0,
        numbers: new Map(),
      }
      placed.push(one)
      if (parent) {
        placeDirectory(one)
        parent.numbers.set(next.name, one.inodeAt / SLOT)
      } else if (xattrBytes > ROOT_XATTR_LIMIT) {
        throw new BaleError(
          'LIMIT_EXCEEDED',
          `the extended attributes of the root directory take ${xattrBytes} bytes, more than ${ROOT_XATTR_LIMIT}`,
        )
      }
      for (let index = names.length - 1; index >= 0; index--) {
        const child = directory.children.get(names[index]!)
        if (child === undefined || typeof child === 'number') continue
        one.subdirectories++
        stack.push({ directory: child, parent: one, name: names[index]! })
      }
    }
    const first = placed[0]!
    first.startBlock = allocator.placeData(first.plan.size)
    return placed
  }

  function placeDirectory(one: PlacedDirectory): void {
    const head = INODE_SIZE + one.xattrBytes
    const tail = one.plan.size % BLOCK
    one.inline = tail > 0 && head + tail <= BLOCK
    const full = one.inline ? one.plan.size - tail : one.plan.size
    one.inodeAt = allocator.placeInode(one.inline ? head + tail : head)
    if (full > 0) one.startBlock = allocator.placeData(full)
  }

  return { addNode, data, finish }
}

const NO_XATTRS: Xattrs = new Map()

interface PlacedDirectory {
  directory: Directory
  parent: PlacedDirectory | undefined
  names: string[]
  plan: { starts: number[]; size: number }
  xattrBytes: number
  inline: boolean
  inodeAt: number
  startBlock: number
  subdirectories: number
  /** Inode numbers of the subdirectories. */
  numbers: Map<string, number>
  /** Kept for the root only: it stands in block 0. */
  head?: Uint8Array
}

function entryIn(one: PlacedDirectory, name: string): { nid: number; type: number } {
  if (name === '.') return { nid: one.inodeAt / SLOT, type: TYPES.directory.dirent }
  if (name === '..') return { nid: (one.parent ?? one).inodeAt / SLOT, type: TYPES.directory.dirent }
  const child = one.directory.children.get(name)!
  if (typeof child === 'number') return { nid: nidOf(child), type: child % 8 }
  return { nid: one.numbers.get(name)!, type: TYPES.directory.dirent }
}

/** Superblock and root inode. The checksum covers the block from the superblock on, its own field as zero. */
function firstBlock(rootInode: Uint8Array, counts: { inodes: number; blocks: number }): Uint8Array {
  const block = new Uint8Array(BLOCK)
  const view = new DataView(block.buffer, SUPERBLOCK_AT)
  view.setUint32(0, MAGIC, true)
  view.setUint32(8, COMPAT_CHECKSUM | COMPAT_MTIME, true)
  view.setUint8(12, Math.log2(BLOCK))
  view.setUint16(14, ROOT_NID, true)
  view.setUint32(16, counts.inodes, true)
  view.setUint32(36, counts.blocks, true)
  block.set(rootInode, ROOT_AT)
  view.setUint32(4, crc32c(block.subarray(SUPERBLOCK_AT)), true)
  return block
}
