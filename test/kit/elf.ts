/** For tests of executables: ELF files of a few hundred bytes, and what compilers leave in them. */
import { deflateSync } from 'node:zlib'

export interface ElfKind {
  wordSize?: 4 | 8
  littleEndian?: boolean
}

export interface ElfShape extends ElfKind {
  /** Each has its bytes in the file, in one writable segment. `data` may depend on the address that it is loaded to. */
  sections?: { name: string; data: Buffer | ((address: number) => Buffer); type?: number }[]
  /** Without the table of sections. */
  stripped?: boolean
}

/** Where the file's first byte is loaded to. */
const BASE = 0x40_0000
const ALIGNMENT = 16

/** A file with one loaded segment, which is all of its bytes. */
export function elfOf({ wordSize = 8, littleEndian = true, sections = [], stripped = false }: ElfShape): Buffer {
  const numbers = numbersOf({ wordSize, littleEndian })
  const sizes = wordSize === 8 ? { header: 64, segment: 56, section: 64 } : { header: 52, segment: 32, section: 40 }
  const names = `\0${[...sections.map(({ name }) => name), '.shstrtab'].join('\0')}\0`
  const parts: Buffer[] = []
  let end = sizes.header + sizes.segment
  const place = (data: (address: number) => Buffer) => {
    const padding = (ALIGNMENT - (end % ALIGNMENT)) % ALIGNMENT
    const offset = end + padding
    const bytes = data(BASE + offset)
    parts.push(Buffer.alloc(padding), bytes)
    end = offset + bytes.length
    return { offset, size: bytes.length }
  }
  const placed = [...sections, { name: '.shstrtab', data: Buffer.from(names), type: 3 }].map(
    ({ name, data, type = 1 }) => ({
      ...place(typeof data === 'function' ? data : () => data),
      name: names.indexOf(`\0${name}\0`) + 1,
      type,
    }),
  )
  const table = [{ name: 0, type: 0, offset: 0, size: 0 }, ...placed].map(({ name, type, offset, size }) =>
    wordSize === 8
      ? numbers(['u32', name], ['u32', type], 0, BASE + offset, offset, size, ['u32', 0], ['u32', 0], 16, 0)
      : numbers(name, type, 0, BASE + offset, offset, size, 0, 0, 16, 0),
  )
  const tableAt = place(() => Buffer.concat(table)).offset
  const ident = Buffer.from([0x7f, 0x45, 0x4c, 0x46, wordSize / 4, littleEndian ? 1 : 2, 1, ...Array(9).fill(0)])
  const header = numbers(
    ...[['u16', 2] as const, ['u16', 62] as const, ['u32', 1] as const],
    ...[BASE, sizes.header, stripped ? 0 : tableAt],
    ...[['u32', 0] as const, ['u16', sizes.header] as const, ['u16', sizes.segment] as const, ['u16', 1] as const],
    ...[['u16', sizes.section] as const, ['u16', stripped ? 0 : table.length] as const],
    ['u16', stripped ? 0 : table.length - 1],
  )
  const segment =
    wordSize === 8
      ? numbers(['u32', 1], ['u32', 6], 0, BASE, BASE, end, end, 4096)
      : numbers(1, 0, BASE, BASE, end, end, 6, 4096)
  return Buffer.concat([ident, header, segment, ...parts])
}

/** Build information as Go writes it since 1.18. */
export function goInline(version: string, modules: string): Buffer {
  const text = marked(modules)
  return Buffer.concat([
    Buffer.from('\xff Go buildinf:\x08\x02', 'latin1'),
    Buffer.alloc(16),
    varint(Buffer.byteLength(version)),
    Buffer.from(version),
    varint(text.length),
    text,
  ])
}

/** Build information as Go wrote it before 1.18: strings elsewhere in the data, which here follows at once. */
export function goPointed(version: string, modules: string, kind: ElfKind = {}): (address: number) => Buffer {
  const { wordSize = 8, littleEndian = true } = kind
  const numbers = numbersOf(kind)
  const texts = [Buffer.from(version), marked(modules)]
  return (address) => {
    const strings = address + 32
    const bytes = strings + 4 * wordSize
    return Buffer.concat([
      Buffer.from('\xff Go buildinf:', 'latin1'),
      Buffer.from([wordSize, littleEndian ? 0 : 1]),
      numbers(strings, strings + 2 * wordSize),
      Buffer.alloc(16 - 2 * wordSize),
      numbers(bytes, texts[0]!.length, bytes + texts[0]!.length, texts[1]!.length),
      ...texts,
    ])
  }
}

/** The list that `cargo auditable` adds. */
export function crateList(value: unknown): Buffer {
  return deflateSync(JSON.stringify(value))
}

function marked(modules: string): Buffer {
  const mark = Buffer.alloc(16, 0xfe)
  return modules === '' ? Buffer.alloc(0) : Buffer.concat([mark, Buffer.from(modules), mark])
}

export function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}

/** Words, and numbers of other sizes where it is said. */
function numbersOf({ wordSize = 8, littleEndian = true }: ElfKind) {
  const sizes = { u16: 2, u32: 4, u64: 8 }
  return (...values: (number | readonly ['u16' | 'u32', number])[]): Buffer =>
    Buffer.concat(
      values.map((value) => {
        const [kind, number] = typeof value === 'number' ? ([wordSize === 8 ? 'u64' : 'u32', value] as const) : value
        const bytes = Buffer.alloc(sizes[kind])
        const big = Buffer.alloc(8)
        big.writeBigUInt64BE(BigInt(number))
        big.copy(bytes, 0, 8 - bytes.length)
        return littleEndian ? bytes.reverse() : bytes
      }),
    )
}
