import { type ByteSource, damaged, excessive, numberReader, readExactly } from './bytes.ts'
import type { ElfFile } from './elf-file.ts'

/** What Go's linker writes into each program. */
export interface GoBuildInfo {
  /** `go1.22.3`, `go1.22.3 X:boringcrypto`, `devel go1.23-f2c4e1a`. */
  readonly version: string
  /** Lines of fields between tabs; empty when the program was built outside of a module. */
  readonly modules: string
}

/**
 * The build information of a Go program; undefined for another program. INVALID_ARGUMENT when it begins and cannot be
 * read, LIMIT_EXCEEDED for texts longer than any linker writes. Source: Go, package debug/buildinfo, and cmd/link.
 */
export async function readGoBuildInfo(elf: ElfFile): Promise<GoBuildInfo | undefined> {
  const start = await findStart(elf)
  if (start === undefined) return undefined
  const header = await readExactly(elf.source, start, HEADER_SIZE, WHAT)
  const [version, modules] =
    (header[15]! & INLINE) !== 0 ? await readInline(elf.source, start) : await readPointed(elf, header)
  if (version!.length === 0) throw damaged(`${WHAT} names no version of Go`)
  return { version: version!.toString(), modules: withoutMarks(modules!).toString() }
}

const WHAT = 'the build information of Go'
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1')
const ALIGNMENT = 16
const HEADER_SIZE = 32
/** Of byte 15. */
const BIG_ENDIAN = 1
const INLINE = 2

const MARK = 16
const NEW_LINE = 0x0a

/** A thousand modules have about 100 kB. */
const LONGEST_TEXT = 1 << 20
/** A varint of 64 bits. */
const LONGEST_VARINT = 10

/** Bytes of a section, or of the data without sections, which may have hundreds of megabytes of other things. */
const MOST_SEARCHED = 16 << 20
/** Bytes of the data of a program whose sections are known by other names: Go's linker puts the information first. */
const MOST_SEARCHED_FIRST = 64 << 10
const SEARCHED_AT_ONCE = 1 << 20

/** Position in the file: in the section of its own, or in the data where a program has no such section. */
async function findStart(elf: ElfFile): Promise<number | undefined> {
  const section = elf.sections.find(({ name }) => name === '.go.buildinfo')
  if (section) {
    const found = await search(elf.source, section.offset, Math.min(section.size, MOST_SEARCHED))
    if (found === undefined) throw damaged(`${WHAT} is not in its section`)
    return found
  }
  let rest = elf.sections.length > 0 ? MOST_SEARCHED_FIRST : MOST_SEARCHED
  for (const { offset, size, address, writable } of elf.segments) {
    if (!writable || rest <= 0) continue
    const skipped = (ALIGNMENT - (address % ALIGNMENT)) % ALIGNMENT
    const found = await search(elf.source, offset + skipped, Math.min(size, rest) - skipped)
    if (found !== undefined) return found
    rest -= size
  }
  return undefined
}

/** The magic at a distance of `from` that is aligned, as `from` is. */
async function search(source: ByteSource, from: number, size: number): Promise<number | undefined> {
  const end = Math.min(from + size, source.size)
  for (let start = from; start + HEADER_SIZE <= end; start += SEARCHED_AT_ONCE) {
    const read = await source.readAt(start, Math.min(SEARCHED_AT_ONCE, end - start))
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength)
    for (let at = bytes.indexOf(MAGIC); at >= 0; at = bytes.indexOf(MAGIC, at + 1))
      if (at % ALIGNMENT === 0) return start + at
  }
  return undefined
}

/** Since Go 1.18: two texts behind the header, each after its length. */
async function readInline(source: ByteSource, start: number): Promise<Buffer[]> {
  const texts: Buffer[] = []
  let at = start + HEADER_SIZE
  for (let count = 0; count < 2; count++) {
    const prefix = await source.readAt(at, LONGEST_VARINT)
    const { value: length, size } = varint(prefix)
    texts.push(await readText(source, at + size, length))
    at += size + length
  }
  return texts
}

/** Before Go 1.18: addresses of two string values, which are an address and a length each. */
async function readPointed(elf: ElfFile, header: Buffer): Promise<Buffer[]> {
  const width = header[14]
  if (width !== 4 && width !== 8) throw damaged(`${WHAT} has addresses of an unknown size`)
  const numbers = numberReader(width, (header[15]! & BIG_ENDIAN) === 0)
  const texts: Buffer[] = []
  for (const at of [16, 16 + width]) {
    const value = numbers.word(header, at)
    // A program that was built outside of a module has none.
    const pair = value === 0 ? undefined : await readExactly(elf.source, positionOf(elf, value), 2 * width, WHAT)
    const length = pair ? numbers.word(pair, width) : 0
    const start = length > 0 ? positionOf(elf, numbers.word(pair!, 0)) : 0
    texts.push(await readText(elf.source, start, length))
  }
  return texts
}

function positionOf(elf: ElfFile, address: number): number {
  const segment = elf.segments.find((one) => address >= one.address && address < one.address + one.size)
  if (!segment) throw damaged(`${WHAT} points outside the program`)
  return segment.offset + (address - segment.address)
}

async function readText(source: ByteSource, position: number, length: number): Promise<Buffer> {
  if (length > LONGEST_TEXT) throw excessive(`${WHAT} has a text of more than ${LONGEST_TEXT} bytes`)
  return readExactly(source, position, length, WHAT)
}

/** Seven bits a byte, lowest first; the last byte is below 128. */
function varint(bytes: Uint8Array): { value: number; size: number } {
  let value = 0
  for (const [index, byte] of bytes.entries()) {
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return { value, size: index + 1 }
  }
  throw damaged(`${WHAT} ends early`)
}

/** Sixteen bytes before and after the lines mark them in the memory of a program. Without marks there are no lines. */
function withoutMarks(modules: Buffer): Buffer {
  const marked = modules.length > 2 * MARK && modules[modules.length - MARK - 1] === NEW_LINE
  return marked ? modules.subarray(MARK, -MARK) : Buffer.alloc(0)
}
