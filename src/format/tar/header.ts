import { readNumber } from './number-field.ts'
import { tarError } from './tar-error.ts'

export const BLOCK = 512

/** A header block taken apart; sources: POSIX ustar, GNU tar "Basic Tar Format", star's extension of ustar. */
export interface TarHeader {
  /** Latin1, ustar prefix joined. */
  name: string
  typeflag: string
  mode: number
  uid: number
  gid: number
  size: number
  mtime: number
  linkName: string
  userName: string
  groupName: string
  deviceMajor: number
  deviceMinor: number
}

export function isZeroBlock(block: Buffer, offset: number): boolean {
  for (let index = offset; index < offset + BLOCK; index++) if (block[index] !== 0) return false
  return true
}

/** Text up to the first NUL, latin1. */
export function readText(block: Buffer, offset: number, length: number): string {
  if (block[offset] === 0) return ''
  const limit = offset + length
  let end = offset + 1
  while (end < limit && block[end] !== 0) end++
  return block.toString('latin1', offset, end)
}

/** Parses the block at `offset`. Throws INVALID_TAR on a wrong checksum (T18) or a field that is no number (T17). */
export function readHeader(block: Buffer, offset: number): TarHeader {
  verifyChecksum(block, offset)
  const name = readText(block, offset, 100)
  const kind = magicOf(block, offset)
  const posix = kind !== 'v7'
  const number = (at: number, length: number, field: string) => readNumber(block, offset + at, length, field, name)
  return {
    name: joined(prefixOf(block, offset, kind), name),
    typeflag: String.fromCharCode(block[offset + 156]!),
    mode: number(100, 8, 'mode'),
    uid: number(108, 8, 'uid'),
    gid: number(116, 8, 'gid'),
    size: number(124, 12, 'size'),
    mtime: number(136, 12, 'mtime'),
    linkName: readText(block, offset + 157, 100),
    userName: posix ? readText(block, offset + 265, 32) : '',
    groupName: posix ? readText(block, offset + 297, 32) : '',
    deviceMajor: posix ? number(329, 8, 'device major') : 0,
    deviceMinor: posix ? number(337, 8, 'device minor') : 0,
  }
}

const joined = (prefix: string, name: string) => (prefix === '' ? name : `${prefix}/${name}`)

function magicOf(block: Buffer, offset: number): 'v7' | 'gnu' | 'ustar' | 'star' {
  // "ustar"
  if (
    block[offset + 257] !== 0x75 ||
    block[offset + 258] !== 0x73 ||
    block[offset + 259] !== 0x74 ||
    block[offset + 260] !== 0x61 ||
    block[offset + 261] !== 0x72
  )
    return 'v7'
  if (block[offset + 262] === 0x20) return 'gnu'
  return block.toString('latin1', offset + 508, offset + 512) === 'tar\0' ? 'star' : 'ustar'
}

function prefixOf(block: Buffer, offset: number, kind: 'v7' | 'gnu' | 'ustar' | 'star'): string {
  if (kind === 'v7' || block[offset + 345] === 0) return ''
  if (kind === 'ustar') return readText(block, offset + 345, 155)
  if (kind === 'star') return readText(block, offset + 345, 131)
  // GNU has atime and ctime here. Images made by Go before 1.8 have a ustar prefix under GNU's magic: where the two
  // fields are not numbers and the text is ASCII, it is that.
  if (isNumber(block, offset + 345) && isNumber(block, offset + 357)) return ''
  const prefix = readText(block, offset + 345, 155)
  return /^[\x20-\x7e]*$/.test(prefix) ? prefix : ''
}

function isNumber(block: Buffer, offset: number): boolean {
  if (block[offset]! & 0x80) return true
  return /^[0-7 \0]*$/.test(block.toString('latin1', offset, offset + 12))
}

/** The sum is taken with the checksum field as spaces; old tars summed signed bytes, which is accepted too. */
function verifyChecksum(block: Buffer, offset: number): void {
  let unsigned = 0
  let high = 0
  for (let index = offset; index < offset + BLOCK; index++) {
    const byte = block[index]!
    unsigned += byte
    high += byte >> 7
  }
  for (let index = offset + 148; index < offset + 156; index++) {
    const byte = block[index]!
    unsigned += 0x20 - byte
    high -= byte >> 7
  }
  let stored: number
  try {
    stored = readNumber(block, offset + 148, 8, 'checksum')
  } catch (error) {
    throw tarError('a header has no readable checksum: this is not a tar, or it is damaged here', undefined, error)
  }
  if (stored !== unsigned && stored !== unsigned - 256 * high)
    throw tarError('a header has a wrong checksum: this is not a tar, or it is damaged here')
}
