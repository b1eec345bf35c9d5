import { BaleError } from '#base'
import type { ReadableFile } from '../analyser.ts'

/** Something of known size that is read in parts. A file is one. */
export type ByteSource = Pick<ReadableFile, 'size' | 'readAt'>

/** The error for damaged content. `words` do not name the file: `the table of sections lies outside the file`. */
export function damaged(words: string, cause?: unknown): BaleError {
  return new BaleError('INVALID_ARGUMENT', words, { cause })
}

/** The error for content that is too large to be read. */
export function excessive(words: string): BaleError {
  return new BaleError('LIMIT_EXCEEDED', words)
}

/**
 * Exactly `length` bytes; INVALID_ARGUMENT when the source ends before. `what` is a thing in the singular, for the
 * message.
 */
export async function readExactly(source: ByteSource, position: number, length: number, what: string): Promise<Buffer> {
  if (position + length > source.size) throw damaged(`${what} lies outside the file`)
  const bytes = await source.readAt(position, length)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Reads whole numbers in one byte order. Words are as wide as the addresses of the program: 4 or 8 bytes. */
export interface NumberReader {
  readonly wordSize: 4 | 8
  u16(bytes: Buffer, at: number): number
  u32(bytes: Buffer, at: number): number
  /** Above 2^53 it is near the number only: far outside any file, as the exact number is. */
  word(bytes: Buffer, at: number): number
}

export function numberReader(wordSize: 4 | 8, littleEndian: boolean): NumberReader {
  const u32 = (bytes: Buffer, at: number) => (littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const u64 = (bytes: Buffer, at: number) =>
    Number(littleEndian ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
  return {
    wordSize,
    u16: (bytes, at) => (littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
    u32,
    word: wordSize === 4 ? u32 : u64,
  }
}
