import { BLOCK } from './layout.ts'

/** Bytes of one entry's fixed part: nid u64, name offset u16, type u8, reserved u8; the names follow the last one. */
export const DIRENT_SIZE = 12

/**
 * How a directory's names (sorted bytewise, with "." and ".." sorted in like any other) spread over blocks: `starts[i]`
 * is the index of the first name of block i; `size` is what the inode says: full blocks and the used part of the last.
 */
export interface DirectoryPlan {
  starts: number[]
  size: number
}

export function planDirectory(names: readonly string[]): DirectoryPlan {
  const starts = [0]
  let used = 0
  for (const [index, name] of names.entries()) {
    const bytes = DIRENT_SIZE + name.length
    if (used + bytes > BLOCK) {
      starts.push(index)
      used = 0
    }
    used += bytes
  }
  return { starts, size: (starts.length - 1) * BLOCK + used }
}

/** Writes names[from … to) as one block at the (zeroed) target's position. */
export function encodeDirectoryBlock(
  target: Uint8Array,
  at: number,
  names: readonly string[],
  range: { from: number; to: number },
  entryOf: (name: string) => { nid: number; type: number },
): void {
  const view = new DataView(target.buffer, target.byteOffset + at)
  let nameAt = (range.to - range.from) * DIRENT_SIZE
  for (let index = range.from; index < range.to; index++) {
    const name = names[index]!
    const { nid, type } = entryOf(name)
    const entryAt = (index - range.from) * DIRENT_SIZE
    view.setUint32(entryAt, nid >>> 0, true)
    view.setUint32(entryAt + 4, Math.floor(nid / 2 ** 32), true)
    view.setUint16(entryAt + 8, nameAt, true)
    view.setUint8(entryAt + 10, type)
    for (let i = 0; i < name.length; i++) target[at + nameAt + i] = name.charCodeAt(i)
    nameAt += name.length
  }
}
