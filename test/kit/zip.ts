/** For tests of archives: zip files, honest and not. */
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipPart {
  name: string
  data: Buffer | string
  stored?: boolean
  /** What the directory says instead of the truth. */
  says?: { size?: number; compressedSize?: number; method?: number; flags?: number; offset?: number }
}

export interface ZipShape {
  /** Bytes before the zip file. `counted`: offsets are from the beginning of these. */
  prefix?: { bytes: Buffer; counted: boolean }
  comment?: string
  zip64?: boolean
  /** What the end says instead of the truth. */
  says?: { entries?: number; size?: number; offset?: number }
}

export function zipOf(parts: readonly ZipPart[], { prefix, comment = '', zip64 = false, says }: ZipShape = {}): Buffer {
  const bytes: Buffer[] = prefix ? [prefix.bytes] : []
  let position = prefix?.counted ? prefix.bytes.length : 0
  const append = (part: Buffer) => {
    bytes.push(part)
    position += part.length
  }
  const directory: Buffer[] = []
  for (const { name, data, stored = false, says: lies = {} } of parts) {
    const content = Buffer.from(data)
    const packed = stored ? content : deflateRawSync(content)
    const { size = content.length, compressedSize = packed.length, method = stored ? 0 : 8, flags = 0x800 } = lies
    const { offset = position } = lies
    const common = [u16(flags), u16(method), u32(0), u32(crc32(content))]
    const nameBytes = Buffer.from(name)
    append(
      Buffer.concat([
        ...[u32(0x04034b50), u16(20), ...common, u32(packed.length), u32(content.length)],
        ...[u16(nameBytes.length), u16(0), nameBytes, packed],
      ]),
    )
    const extra = zip64
      ? Buffer.concat([u16(1), u16(24), u64(size), u64(compressedSize), u64(offset)])
      : Buffer.alloc(0)
    const known = (value: number) => u32(zip64 ? 0xffffffff : value)
    directory.push(
      Buffer.concat([
        ...[u32(0x02014b50), u16(20), u16(20), ...common, known(compressedSize), known(size)],
        ...[u16(nameBytes.length), u16(extra.length), u16(0), u16(0), u16(0), u32(0), known(offset), nameBytes, extra],
      ]),
    )
  }
  const start = position
  append(Buffer.concat(directory))
  const { entries = parts.length, size = position - start, offset = start } = says ?? {}
  if (zip64) {
    const end = position
    append(
      Buffer.concat([
        ...[u32(0x06064b50), u64(44), u16(45), u16(45), u32(0), u32(0)],
        ...[u64(entries), u64(entries), u64(size), u64(offset)],
        ...[u32(0x07064b50), u32(0), u64(end), u32(1)],
      ]),
    )
  }
  const short = (value: number) => u16(zip64 ? 0xffff : value)
  const long = (value: number) => u32(zip64 ? 0xffffffff : value)
  append(
    Buffer.concat([
      ...[u32(0x06054b50), u16(0), u16(0), short(entries), short(entries), long(size), long(offset)],
      ...[u16(Buffer.byteLength(comment)), Buffer.from(comment)],
    ]),
  )
  return Buffer.concat(bytes)
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
