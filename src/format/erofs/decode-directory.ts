import { DIRENT_SIZE } from './directory-blocks.ts'
import { damaged } from './image-reader.ts'
import { type InodeType, TYPE_OF_DIRENT } from './layout.ts'

/** An entry of a directory of an EROFS image. */
export interface ImageEntry {
  name: string
  nid: number
  type: InodeType
}

/** The names of one block (the used part of it, for the last). */
export function* decodeDirectoryBlock(block: Uint8Array, directory: number): Generator<ImageEntry> {
  const view = new DataView(block.buffer, block.byteOffset, block.length)
  const wrong = () => damaged(`a block of directory ${directory}`)
  if (block.length < DIRENT_SIZE) throw wrong()
  const namesFrom = view.getUint16(8, true)
  if (namesFrom === 0 || namesFrom % DIRENT_SIZE !== 0 || namesFrom > block.length) throw wrong()
  const count = namesFrom / DIRENT_SIZE
  for (let index = 0; index < count; index++) {
    const at = index * DIRENT_SIZE
    const from = view.getUint16(at + 8, true)
    const to = index + 1 < count ? view.getUint16(at + DIRENT_SIZE + 8, true) : block.length
    if (from < namesFrom || to > block.length || from >= to) throw wrong()
    const bytes = Buffer.from(block.buffer, block.byteOffset + from, to - from)
    const end = index + 1 < count ? -1 : bytes.indexOf(0)
    const name = bytes.toString('latin1', 0, end < 0 ? bytes.length : end)
    const type = TYPE_OF_DIRENT[view.getUint8(at + 10)]
    if (name === '' || name.length > 255 || name.includes('/') || name.includes('\0') || !type) throw wrong()
    yield { name, nid: view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true), type }
  }
}
