import type { TarEntry } from './entry.ts'
import { BLOCK } from './header.ts'

/** What a header block says; omitted members are 0 or empty, and the mode is that of its type. */
export type UstarFields = Pick<TarEntry, 'name' | 'type'> &
  Partial<
    Pick<
      TarEntry,
      'mode' | 'uid' | 'gid' | 'size' | 'mtime' | 'linkName' | 'userName' | 'groupName' | 'deviceMajor' | 'deviceMinor'
    >
  >

/** Largest numbers of 7 and of 11 octal digits. */
export const OCTAL_7 = 0o7777777
export const OCTAL_11 = 0o77777777777

const CHECKSUM_AT = 148
/** What all blocks have in common, with spaces for the checksum, as it is computed. */
const TEMPLATE = Buffer.alloc(BLOCK)
TEMPLATE.fill(0x20, CHECKSUM_AT, CHECKSUM_AT + 8)
TEMPLATE.write('ustar\x0000', 257, 'latin1')
const TEMPLATE_SUM = TEMPLATE.reduce((sum, byte) => sum + byte, 0)

/** Writes a block to `bytes` at `at`. What does not fit is cut, or 0: a PAX record has it. */
export function putUstarBlock(bytes: Buffer, at: number, entry: UstarFields, typeflag: string): void {
  bytes.set(TEMPLATE, at)
  const [name, prefix] = splitName(entry.name) ?? [entry.name, '']
  let sum = TEMPLATE_SUM
  const text = (value: string | undefined, offset: number, most: number) => {
    if (value) sum += putText(bytes, at + offset, value, most)
  }
  const octal = (value: number | undefined, offset: number, digits: number) => {
    sum += putOctal(bytes, at + offset, value ?? 0, digits)
  }
  text(name, 0, 100)
  octal(entry.mode === undefined ? defaultMode(entry.type) : entry.mode & 0o7777, 100, 7)
  octal(entry.uid, 108, 7)
  octal(entry.gid, 116, 7)
  octal(entry.size, 124, 11)
  octal(entry.mtime, 136, 11)
  text(typeflag, 156, 1)
  text(entry.linkName, 157, 100)
  text(entry.userName, 265, 32)
  text(entry.groupName, 297, 32)
  octal(entry.deviceMajor, 329, 7)
  octal(entry.deviceMinor, 337, 7)
  text(prefix, 345, 155)
  // Six digits, a NUL and a space.
  putOctal(bytes, at + CHECKSUM_AT, sum, 6)
  bytes[at + CHECKSUM_AT + 6] = 0
}

/** Both answer the sum of the bytes that they wrote. */
function putText(bytes: Buffer, at: number, latin1: string, most: number): number {
  const length = Math.min(latin1.length, most)
  let sum = 0
  for (let index = 0; index < length; index++) {
    const byte = latin1.charCodeAt(index) & 0xff
    bytes[at + index] = byte
    sum += byte
  }
  return sum
}

function putOctal(bytes: Buffer, at: number, value: number, digits: number): number {
  let left = value >= 0 && value < 8 ** digits ? value : 0
  let sum = 0
  for (let index = digits - 1; index >= 0; index--) {
    const rest = Math.floor(left / 8)
    const byte = 0x30 + left - rest * 8
    bytes[at + index] = byte
    sum += byte
    left = rest
  }
  return sum
}

/** Name and prefix of a ustar header, or undefined when the name needs a PAX record. */
export function splitName(name: string): [name: string, prefix: string] | undefined {
  if (name.length <= 100) return [name, '']
  if (name.length > 256) return undefined
  // The earliest slash that leaves at most 100 bytes behind it makes the shortest prefix.
  const slash = name.indexOf('/', name.length - 101)
  if (slash <= 0 || slash > 155 || slash === name.length - 1) return undefined
  return [name.slice(slash + 1), name.slice(0, slash)]
}

function defaultMode(type: TarEntry['type']): number {
  return type === 'directory' ? 0o755 : type === 'symlink' ? 0o777 : 0o644
}
