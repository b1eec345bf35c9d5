import { damaged } from './damaged.ts'

/** Tags of a package's header that the inventory needs. Source: rpm's rpmtag.h. */
export const Tag = {
  NAME: 1000,
  VERSION: 1001,
  RELEASE: 1002,
  EPOCH: 1003,
  VENDOR: 1011,
  LICENSE: 1014,
  ARCH: 1022,
  SOURCERPM: 1044,
  DIRINDEXES: 1116,
  BASENAMES: 1117,
  DIRNAMES: 1118,
  MODULARITYLABEL: 5096,
} as const

type TagNumber = (typeof Tag)[keyof typeof Tag]

/** A package's header. What is of another type than the tag should be counts as missing. */
export interface Header {
  /** UTF-8, cut when it is longer than any such text. */
  text(tag: TagNumber): string | undefined
  /** The bytes of an array of strings, each with its zero byte. */
  texts(tag: TagNumber): Buffer | undefined
  number(tag: TagNumber): number | undefined
  /** The bytes of an array of 32-bit numbers, big-endian. */
  numbers(tag: TagNumber): Buffer | undefined
}

interface Entry {
  type: number
  offset: number
  count: number
}

const INT32 = 4
const STRING = 6
const STRING_ARRAY = 8
const ENTRY_SIZE = 16
const LONGEST_TEXT = 8192
const KNOWN: ReadonlySet<number> = new Set(Object.values(Tag))

/**
 * Reads a header as databases keep it: number of entries, size of the store, entries, store. An entry that is written
 * again counts as the last one says: rpm adds what it knows of the installed package after what the file had. Methods
 * throw when the header is damaged. Source: "RPM V4 Package format", section "Header Structure".
 */
export function parseHeader(blob: Buffer): Header {
  if (blob.length < 8) throw damaged(DAMAGED)
  const entries = blob.readUInt32BE(0)
  const begin = 8 + entries * ENTRY_SIZE
  const end = begin + blob.readUInt32BE(4)
  if (end > blob.length) throw damaged(DAMAGED)
  const index = readIndex(blob.subarray(8, begin))
  const store = blob.subarray(begin, end)
  const find = (tag: TagNumber, type: number) => {
    const entry = index.get(tag)
    return entry?.type === type ? entry : undefined
  }
  const numbers = (tag: TagNumber) => {
    const entry = find(tag, INT32)
    return entry && slice(store, entry.offset, entry.offset + entry.count * 4)
  }
  return {
    text: (tag) => {
      const entry = find(tag, STRING)
      if (!entry) return undefined
      const end = endOfStrings(store, entry.offset, 1) - 1
      return store.toString('utf8', entry.offset, Math.min(end, entry.offset + LONGEST_TEXT))
    },
    texts: (tag) => {
      const entry = find(tag, STRING_ARRAY)
      return entry && slice(store, entry.offset, endOfStrings(store, entry.offset, entry.count))
    },
    number: (tag) => {
      const bytes = numbers(tag)
      return bytes && bytes.length > 0 ? bytes.readUInt32BE(0) : undefined
    },
    numbers,
  }
}

const DAMAGED = 'the header of a package is damaged'

function readIndex(bytes: Buffer): ReadonlyMap<number, Entry> {
  const index = new Map<number, Entry>()
  for (let at = 0; at < bytes.length; at += ENTRY_SIZE) {
    const tag = bytes.readUInt32BE(at)
    if (!KNOWN.has(tag)) continue
    const [type, offset, count] = [4, 8, 12].map((field) => bytes.readUInt32BE(at + field)) as [number, number, number]
    index.set(tag, { type, offset, count })
  }
  return index
}

function slice(store: Buffer, start: number, end: number): Buffer {
  if (end > store.length) throw damaged(DAMAGED)
  return store.subarray(start, end)
}

/** After the zero byte of the last of `count` strings. */
function endOfStrings(store: Buffer, start: number, count: number): number {
  let at = start
  for (let left = count; left > 0; left--) {
    const zero = at < store.length ? store.indexOf(0, at) : -1
    if (zero < 0) throw damaged(DAMAGED)
    at = zero + 1
  }
  return at
}
