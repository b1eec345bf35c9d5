/** For tests of layers: images in memory, and trees as text that can be compared. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createPiecePool } from '../../src/base/index.ts'
import type { RandomSink, RandomSource } from '../../src/format/erofs/index.ts'
import { createLayerWriter, reassemble, type WrittenLayerImage } from '../../src/format/layer/index.ts'
import { type NewTarEntry, packTar } from '../../src/format/tar/index.ts'
import { readXattrs } from '../../src/host/index.ts'

/** A file in memory that is a sink and a source. */
export function memoryImage() {
  let bytes = Buffer.alloc(64 * 1024)
  let size = 0
  return {
    writeAt(position: number, part: Uint8Array) {
      const end = position + part.length
      if (end > bytes.length) {
        const larger = Buffer.alloc(Math.max(end, bytes.length * 2))
        bytes.copy(larger, 0, 0, size)
        bytes = larger
      }
      bytes.set(part, position)
      size = Math.max(size, end)
    },
    readAt(position: number, length: number, memory?: Uint8Array): Uint8Array {
      const part = bytes.subarray(position, Math.min(size, position + length))
      if (!memory) return part
      memory.set(part)
      return memory.subarray(0, part.length)
    },
    get bytes(): Buffer {
      return bytes.subarray(0, size)
    },
  }
}

export interface WrittenLayer<Image> {
  written: WrittenLayerImage
  image: Image
  split: Buffer
}

export type MemoryLayer = WrittenLayer<ReturnType<typeof memoryImage>>

/** Writes a layer from tar bytes that arrive in pieces of the given size. */
export async function writeLayer(tar: Uint8Array, options: { piece?: number } = {}): Promise<MemoryLayer> {
  return writeLayerInto(memoryImage(), tar, options)
}

export async function writeLayerInto<Image extends RandomSink>(
  image: Image,
  tar: Uint8Array,
  options: { piece?: number } = {},
): Promise<WrittenLayer<Image>> {
  const pieces: Buffer[] = []
  const writer = createLayerWriter({
    image,
    split: { write: (bytes) => void pieces.push(Buffer.from(bytes)) },
  })
  const piece = options.piece ?? 64 * 1024
  for (let at = 0; at < tar.length; at += piece) await writer.push(tar.subarray(at, at + piece))
  const written = await writer.finish()
  return { written, image, split: Buffer.concat(pieces) }
}

/** The tar again; into memory of the caller, which is used again for each piece, as well. */
export async function reassembled(layer: WrittenLayer<RandomSource>, piece = 1000): Promise<Buffer> {
  const split = async function* () {
    for (let at = 0; at < layer.split.length; at += piece) yield layer.split.subarray(at, at + piece)
  }
  const parts: Buffer[] = []
  for await (const bytes of reassemble({ image: layer.image, split: split() })) parts.push(Buffer.from(bytes))
  const whole = Buffer.concat(parts)
  const size = 100_001
  const pieces = createPiecePool(size)
  let at = 0
  for await (const bytes of reassemble({ image: layer.image, split: split(), pieces })) {
    assert.equal(bytes.length, Math.min(size, whole.length - at), 'all pieces but the last are full')
    assert.ok(whole.subarray(at, at + bytes.length).equals(bytes), 'the same bytes come in pieces of another size')
    at += bytes.length
    bytes.fill(0xee)
    pieces.giveBack(bytes)
  }
  assert.equal(at, whole.length)
  return whole
}

/** A tar from short descriptions: `file('a', 'text')`. */
export async function tarOf(entries: readonly { entry: NewTarEntry; data?: Uint8Array }[]): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const bytes of packTar(entries)) parts.push(bytes)
  return Buffer.concat(parts)
}

export function file(name: string, content: string | Uint8Array, more: Partial<NewTarEntry> = {}) {
  const data = typeof content === 'string' ? Buffer.from(content, 'latin1') : content
  return { entry: { name, type: 'file' as const, size: data.length, ...more }, data }
}
export function directoryEntry(name: string, more: Partial<NewTarEntry> = {}) {
  return { entry: { name, type: 'directory' as const, ...more } }
}
export function link(name: string, linkName: string, type: 'symlink' | 'hardlink' = 'symlink') {
  return { entry: { name, type, linkName } }
}

export interface DescribeOptions {
  /** Link counts of directories differ between file systems; those of files are told. */
  mtimes?: boolean
}

/**
 * One line for each name below the directory: everything that a layer promises to keep. Names in latin1, sorted bytewise.
 * Directory link counts and the root's time are left out; symlinks' modes too (GNU tar extracts them as 0777).
 */
export function describeTree(directory: string, options: DescribeOptions = {}): string[] {
  const lines: string[] = []
  const walk = (path: Buffer, name: string) => {
    const stat = lstatSync(path, { bigint: true })
    const kind = stat.isSymbolicLink()
      ? `link -> ${readlinkSync(path, { encoding: 'latin1' as BufferEncoding })}`
      : stat.isDirectory()
        ? 'directory'
        : stat.isFile()
          ? `file ${stat.size} ${createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)}`
          : `special ${(stat.mode & 0o170000n).toString(8)} ${stat.rdev}`
    const mode = stat.isSymbolicLink() ? '' : (stat.mode & 0o7777n).toString(8)
    const links = stat.isDirectory() ? '' : `links=${stat.nlink}`
    const time = options.mtimes === false || name === '' ? '' : `mtime=${stat.mtimeNs}`
    const xattrs = [...readXattrs(path)].sort().map(([key, value]) => `${key}=${Buffer.from(value).toString('hex')}`)
    lines.push([name || '.', kind, mode, `${stat.uid}:${stat.gid}`, links, time, ...xattrs].filter(Boolean).join(' '))
    if (!stat.isDirectory()) return
    const children = readdirSync(path, { encoding: 'buffer' }).sort(Buffer.compare)
    for (const child of children)
      walk(
        Buffer.concat([path, Buffer.from('/'), child]),
        name === '' ? child.toString('latin1') : `${name}/${child.toString('latin1')}`,
      )
  }
  walk(Buffer.from(directory), '')
  return lines
}
