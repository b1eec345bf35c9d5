import { createHash } from 'node:crypto'
import { type Digest, parseDigest } from '#spec'
import { type BlockRun, createErofsWriter, type Node, type RandomSink, type Sink } from '../erofs/index.ts'
import { createTarScanner, type TarEntry, tarError } from '../tar/index.ts'
import { entryShape, imageXattrs } from './entry-shape.ts'
import { attributesOf, LayerTree } from './layer-tree.ts'
import { createSplitWriter } from './split.ts'

/** The two outputs of a layer. */
export interface LayerWriterOptions {
  /** The mountable image. Positions ascend, except for inode blocks that fill slowly, link counts and block 0. */
  image: RandomSink
  /** The split, not compressed. */
  split: Sink
}

/** What is known of a layer image when it is complete. Sizes are bytes. */
export interface WrittenLayerImage {
  /** sha256 of all tar bytes. */
  diffId: Digest
  tarSize: number
  /** Sum of the sizes of files and of symlinks' targets, as docker counts an image's size. */
  contentSize: number
  imageSize: number
  entries: number
  /** The image's blocks without which no name and no attribute of it can be read. */
  metadata: readonly BlockRun[]
}

/** Takes the tar of a layer and writes its image and its split. */
export interface LayerWriter {
  /** The next bytes of the tar, in pieces of any size. The writer must not be used after an error. */
  push(bytes: Uint8Array): void | Promise<void>
  /** Writes directories, whiteouts and the superblock. Until then the image has no magic and cannot be mounted. */
  finish(): Promise<WrittenLayerImage>
}

/** Writes a layer in one pass: hash, scan, place. Memory is bounded by the number of names, not by their data. */
export function createLayerWriter({ image, split }: LayerWriterOptions): LayerWriter {
  const hash = createHash('sha256')
  const erofs = createErofsWriter(image)
  const splitWriter = createSplitWriter(split)
  const tree = new LayerTree()
  const waits: Promise<void>[] = []
  let contentSize = 0

  const wait = (promise: void | Promise<void>) => {
    if (promise) waits.push(promise)
  }

  const scanner = createTarScanner({
    onStructure: (bytes) => wait(splitWriter.add(bytes)),
    onEntry(entry) {
      tree.add(entry, addNode(entry))
      contentSize += entry.type === 'symlink' ? Buffer.byteLength(entry.linkName) : entry.size
    },
    onData: (_entry, bytes) => wait(erofs.data(bytes)),
  })

  function addNode(entry: TarEntry): Node | undefined {
    if (!entryShape(entry)) return undefined
    check(entry)
    return erofs.addNode(attributesOf(entry), {
      xattrs: imageXattrs(entry.xattrs),
      size: entry.size,
      linkTarget: entry.type === 'symlink' ? entry.linkName : undefined,
      extents: entry.sparse,
    })
  }

  return {
    push(bytes) {
      hash.update(bytes)
      try {
        scanner.push(bytes)
      } catch (error) {
        // The outputs are given up: that their last writes fail then is no news, and must not end the process.
        void Promise.allSettled(waits.splice(0))
        throw error
      }
      if (waits.length > 0) return Promise.all(waits.splice(0)).then(() => undefined)
    },
    async finish() {
      scanner.end()
      tree.checkLinks()
      tree.applyWhiteouts(() => erofs.addNode(WHITEOUT))
      await Promise.all([...waits.splice(0), splitWriter.end()])
      const { imageSize, metadata } = await erofs.finish(tree.root, tree.links)
      const diffId = parseDigest(`sha256:${hash.digest('hex')}`)
      return { diffId, tarSize: scanner.offset, contentSize, imageSize, entries: scanner.entries, metadata }
    },
  }
}

/** What overlayfs reads as "this name is gone". */
const WHITEOUT = {
  type: 'character',
  permissions: 0,
  uid: 0,
  gid: 0,
  mtime: 0,
  mtimeNanoseconds: 0,
  deviceMajor: 0,
  deviceMinor: 0,
} as const

function check(entry: TarEntry): void {
  const wrong =
    entry.type === 'character' && entry.deviceMajor === 0 && entry.deviceMinor === 0
      ? 'is the device 0:0, which overlayfs reads as a whiteout'
      : entry.type === 'symlink' && (entry.linkName.length === 0 || entry.linkName.length > 4095)
        ? 'is a symbolic link without a target of 1 to 4095 bytes'
        : undefined
  if (wrong !== undefined) throw tarError(wrong, entry.name)
}
