import { BaleError } from '#base'
import { createAllocator } from './allocator.ts'
import { addBlocks, type BlockRun } from './block-runs.ts'
import { CHUNK_ENTRY, type Extents, encodeChunkMap } from './chunk-map.ts'
import { firstBlock } from './first-block.ts'
import { type Directory, type Node, nidOf, nodeOf } from './image-tree.ts'
import {
  BLOCK,
  encodeInode,
  INODE_SIZE,
  type InodeAttributes,
  LAYOUT_CHUNKED,
  LAYOUT_INLINE,
  LAYOUT_PLAIN,
  LINKS_OFFSET,
  NO_BLOCK,
  SLOT,
} from './layout.ts'
import {
  countInodes,
  encodeDirectoryInode,
  encodeNames,
  fullBlocks,
  type PlacedDirectory,
  placeDirectories,
} from './place-directories.ts'
import { type NodePlace, placeNode } from './place-node.ts'
import type { RandomSink } from './random-access.ts'
import { encodeXattrs, type Xattrs, xattrAreaSize } from './xattr-area.ts'

/**
 * Writes an image in one pass. Nodes go out as they are added; directories, known only at the end, go last; then the
 * link counts that are not 1 are patched and block 0 is written. One node at a time: all data of a file before the next.
 */
interface ErofsWriter {
  /** A symlink's target in `linkTarget`; a file's `size` (data follows by `data`, exactly `size` bytes or the extents' sum). */
  addNode(
    attributes: InodeAttributes,
    content?: { xattrs?: Xattrs; size?: number; linkTarget?: string; extents?: Extents },
  ): Node
  /** The last node's next bytes. The bytes are not kept after the call (or its promise). */
  data(bytes: Uint8Array): void | Promise<void>
  /** Writes the tree. `links` names the nodes whose count of names is not 1. */
  finish(root: Directory, links?: ReadonlyMap<Node, number>): Promise<WrittenErofs>
}

interface WrittenErofs {
  /** Bytes. */
  imageSize: number
  inodes: number
  /** The blocks of inodes, with the data of small files that they hold, and of directories. */
  metadata: readonly BlockRun[]
}

const MAX_PADDING = 64 * 2 ** 30

interface Current {
  inline: boolean
  position: number
  /** Bytes left in the run that `position` is in. */
  left: number
  /** The remaining runs of a file with holes. */
  rest: { position: number; length: number }[]
}

export function createErofsWriter(sink: RandomSink): ErofsWriter {
  const allocator = createAllocator()
  let openBlock = 0
  let open = new Uint8Array(BLOCK)
  let current: Current | undefined
  let number = 1
  let chunked = false
  let padding = 0
  const pending: Promise<void>[] = []
  // The superblock and the root. Positions ascend, so that the blocks of metadata do.
  const metadata: BlockRun[] = [{ first: 0, count: 1 }]

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
      addBlocks(metadata, block, whole / BLOCK + 1)
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
    if (current) throw new BaleError('INTERNAL', `a file of the image lacks ${current.left} bytes of data`)
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
    const place = placeNode(allocator, { size, xattrBytes, extents })
    if (allocator.end >= NO_BLOCK) throw new BaleError('LIMIT_EXCEEDED', 'a layer image cannot be larger than 16 TiB')
    countPadding(place)
    const { chunks } = place
    const head = new Uint8Array(INODE_SIZE + xattrBytes + (chunks ? chunks.starts.length * CHUNK_ENTRY : 0))
    encodeInode(
      {
        ...attributes,
        layout: chunks ? LAYOUT_CHUNKED : place.inline ? LAYOUT_INLINE : LAYOUT_PLAIN,
        size,
        startBlock: chunks ? chunks.bits : startBlockOf(place),
        xattrBytes,
        links: 1,
        number: number++,
      },
      head,
      0,
    )
    if (xattrBytes > 0) encodeXattrs(xattrs, head, INODE_SIZE)
    if (chunks) encodeChunkMap(chunks.starts, head, INODE_SIZE + xattrBytes)
    putInode(place.inodeAt, head)
    const [first, ...rest] = place.runs
    if (first) current = { inline: place.inline, position: first.position, left: first.length, rest }
    if (linkTarget !== undefined) {
      if (!place.inline && place.dataAt !== undefined) addBlocks(metadata, place.dataAt / BLOCK, 1)
      const written = data(Buffer.from(linkTarget, 'latin1'))
      if (written) pending.push(written)
    }
    return nodeOf(place.inodeAt / SLOT, attributes.type)
  }

  /** Zeros around the data in chunks: they take no disk space, but checking the image reads them (T14). */
  function countPadding({ chunks, runs }: NodePlace): void {
    if (!chunks) return
    chunked = true
    padding += chunks.bytes - runs.reduce((sum, { length }) => sum + length, 0)
    if (padding > MAX_PADDING)
      throw new BaleError(
        'LIMIT_EXCEEDED',
        'the data of the sparse files is so scattered that it takes more than 64 GiB',
      )
  }

  function data(bytes: Uint8Array): void | Promise<void> {
    let from = 0
    while (from < bytes.length) {
      if (!current) throw new BaleError('INTERNAL', 'a file of the image got more data than announced')
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
    const placed = placeDirectories(root, allocator)
    const [rootPlace, ...others] = placed
    for (const one of others) {
      putInode(one.inodeAt, encodeDirectoryInode(one, number++))
      await writeNames(one)
    }
    await writeNames(rootPlace!)
    flushOpen()
    await settle()
    for (const [node, count] of links) if (count > 1) await patchLinks(node, count)
    const inodes = countInodes(placed, links)
    await sink.writeAt(0, firstBlock(encodeDirectoryInode(rootPlace!, 0), { inodes, blocks: allocator.end, chunked }))
    return { imageSize: allocator.end * BLOCK, inodes, metadata }
  }

  async function writeNames(one: PlacedDirectory): Promise<void> {
    const count = fullBlocks(one)
    if (count > 0) {
      const blocks = new Uint8Array(count * BLOCK)
      for (let index = 0; index < count; index++) encodeNames(one, index, blocks, index * BLOCK)
      addBlocks(metadata, one.startBlock, count)
      await sink.writeAt(one.startBlock * BLOCK, blocks)
    }
    if (pending.length > 0) await settle()
  }

  async function patchLinks(node: Node, count: number): Promise<void> {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, count, true)
    await sink.writeAt(nidOf(node) * SLOT + LINKS_OFFSET, bytes)
  }

  return { addNode, data, finish }
}

function startBlockOf({ inline, dataAt }: NodePlace): number {
  return inline || dataAt === undefined ? NO_BLOCK : dataAt / BLOCK
}

const NO_XATTRS: Xattrs = new Map()
