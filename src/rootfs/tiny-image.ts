import { createErofsWriter } from '#format/erofs'
import type { TrialImage } from '#host'

const BLOCK = 4096
const DATA_BLOCKS = 16
/** What the writer makes: superblock, the file's inode, its data, the names in the root directory. */
const BLOCKS = 3 + DATA_BLOCKS
/** Of a file's inode, in the block behind the superblock's: where its data begins. */
const START_BLOCK_AT = BLOCK + 16

/**
 * A small image with one file: what the kernel is asked to mount and to read when its abilities are tried. The file's data
 * is moved behind all else, so that the image can be cut there.
 */
export async function tinyImage(): Promise<TrialImage> {
  const bytes = Buffer.alloc((BLOCKS + DATA_BLOCKS) * BLOCK)
  const writer = createErofsWriter({ writeAt: (position, piece) => void bytes.set(piece, position) })
  const attributes = { uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 }
  const data = Buffer.alloc(DATA_BLOCKS * BLOCK, 'data ')
  const node = writer.addNode({ ...attributes, type: 'file', permissions: 0o644 }, { size: data.length })
  await writer.data(data)
  await writer.finish({
    attributes: { ...attributes, type: 'directory', permissions: 0o755 },
    xattrs: new Map(),
    children: new Map([['data', node]]),
  })
  bytes.set(data, BLOCKS * BLOCK)
  bytes.writeUInt32LE(BLOCKS, START_BLOCK_AT)
  return { bytes, data: { name: 'data', cutAt: (BLOCKS + DATA_BLOCKS / 2) * BLOCK } }
}
