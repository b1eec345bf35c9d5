import { type ByteSource, damaged, excessive, type NumberReader, numberReader, readExactly } from './bytes.ts'

/** A part of the file that is loaded into memory. */
interface ElfSegment {
  /** Of its first byte in memory. */
  readonly address: number
  readonly offset: number
  /** Bytes that the file has of it. */
  readonly size: number
  readonly writable: boolean
}

interface ElfSection {
  readonly name: string
  readonly offset: number
  readonly size: number
}

/** The headers of an ELF file. Where something is said to be, the file may have ended already. */
export interface ElfFile {
  readonly source: ByteSource
  readonly numbers: NumberReader
  readonly segments: readonly ElfSegment[]
  /** Empty when the table of sections was stripped. Sections without bytes in the file are left out. */
  readonly sections: readonly ElfSection[]
}

/**
 * Reads the headers of an executable. The kernel needs no sections, so a file without their table is whole; a table that
 * the header promises and the file does not have means that the file was cut, and is INVALID_ARGUMENT, as is any other
 * damage of the headers. LIMIT_EXCEEDED for more than 65 536 sections or 4 MiB of their names.
 * Source: System V Application Binary Interface, "Object Files".
 */
export async function readElf(source: ByteSource): Promise<ElfFile> {
  const layout = layoutOf(await readExactly(source, 0, IDENT_SIZE, 'the header'))
  const header = await readExactly(source, 0, layout.header.size, 'the header')
  return {
    source,
    numbers: layout.numbers,
    segments: await readSegments(source, layout, header),
    sections: await readSections(source, layout, header),
  }
}

const IDENT_SIZE = 16
const MOST_SECTIONS = 65_536
const MOST_NAME_BYTES = 4 << 20
const LONGEST_NAME = 64

const LOADED = 1
const WRITABLE = 2
const NULL = 0
const NO_BITS = 8
/** Index that says that the real one is in section 0. */
const ELSEWHERE = 0xffff

interface Layout {
  readonly numbers: NumberReader
  readonly header: typeof HEADER_32
  readonly segment: typeof SEGMENT_32
  readonly section: typeof SECTION_32
}

const HEADER_32 = { size: 52, segments: 28, sections: 32, segmentSize: 42, sectionSize: 46, names: 50 }
const HEADER_64 = { size: 64, segments: 32, sections: 40, segmentSize: 54, sectionSize: 58, names: 62 }
const SEGMENT_32 = { size: 32, offset: 4, address: 8, fileSize: 16, flags: 24 }
const SEGMENT_64 = { size: 56, offset: 8, address: 16, fileSize: 32, flags: 4 }
const SECTION_32 = { size: 40, offset: 16, length: 20, link: 24 }
const SECTION_64 = { size: 64, offset: 24, length: 32, link: 40 }

function layoutOf(ident: Buffer): Layout {
  const [width, order] = [ident[4], ident[5]]
  if ((width !== 1 && width !== 2) || (order !== 1 && order !== 2)) throw damaged('the header is of an unknown kind')
  return width === 1
    ? { numbers: numberReader(4, order === 1), header: HEADER_32, segment: SEGMENT_32, section: SECTION_32 }
    : { numbers: numberReader(8, order === 1), header: HEADER_64, segment: SEGMENT_64, section: SECTION_64 }
}

async function readSegments(source: ByteSource, layout: Layout, header: Buffer): Promise<ElfSegment[]> {
  const { numbers, header: at, segment } = layout
  const count = numbers.u16(header, at.segmentSize + 2)
  if (count === 0) return []
  if (numbers.u16(header, at.segmentSize) !== segment.size) throw damaged('the table of segments is of an unknown kind')
  const start = numbers.word(header, at.segments)
  const table = await readExactly(source, start, count * segment.size, 'the table of segments')
  return entriesOf(table, segment.size)
    .filter((entry) => numbers.u32(entry, 0) === LOADED)
    .map((entry) => ({
      address: numbers.word(entry, segment.address),
      offset: numbers.word(entry, segment.offset),
      size: numbers.word(entry, segment.fileSize),
      writable: (numbers.u32(entry, segment.flags) & WRITABLE) !== 0,
    }))
}

async function readSections(source: ByteSource, layout: Layout, header: Buffer): Promise<ElfSection[]> {
  const { numbers, header: at, section } = layout
  const start = numbers.word(header, at.sections)
  if (start === 0) return []
  if (numbers.u16(header, at.sectionSize) !== section.size) throw damaged('the table of sections is of an unknown kind')
  const first = await readExactly(source, start, section.size, 'the table of sections')
  // Counts that are too large for the header are in the first section, which is no section otherwise.
  const count = numbers.u16(header, at.sectionSize + 2) || numbers.word(first, section.length)
  if (count > MOST_SECTIONS) throw excessive(`it has more than ${MOST_SECTIONS} sections`)
  const entries = entriesOf(
    await readExactly(source, start, count * section.size, 'the table of sections'),
    section.size,
  )
  const index = numbers.u16(header, at.names)
  const names = await readNames(source, layout, entries[index === ELSEWHERE ? numbers.u32(first, section.link) : index])
  return entries
    .filter((entry) => ![NULL, NO_BITS].includes(numbers.u32(entry, 4)))
    .map((entry) => ({
      name: nameAt(names, numbers.u32(entry, 0)),
      offset: numbers.word(entry, section.offset),
      size: numbers.word(entry, section.length),
    }))
}

async function readNames(source: ByteSource, { numbers, section }: Layout, entry: Buffer | undefined): Promise<Buffer> {
  if (!entry) throw damaged('the names of its sections are missing')
  const size = numbers.word(entry, section.length)
  if (size > MOST_NAME_BYTES) throw excessive(`the names of its sections have more than ${MOST_NAME_BYTES} bytes`)
  return readExactly(source, numbers.word(entry, section.offset), size, 'the table of names')
}

/** Longer names are cut: nothing is looked for under one. */
function nameAt(names: Buffer, at: number): string {
  const name = names.toString('latin1', at, Math.min(names.length, at + LONGEST_NAME))
  return name.split('\0', 1)[0]!
}

function entriesOf(table: Buffer, size: number): Buffer[] {
  return Array.from({ length: table.length / size }, (_, index) => table.subarray(index * size, (index + 1) * size))
}
