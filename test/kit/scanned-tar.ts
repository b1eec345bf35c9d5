/** Whole tars in memory, for tests. */
import {
  createTarScanner,
  type PackedEntry,
  packTar,
  type TarEntry,
  type TarPosition,
  type TarScannerOptions,
} from '../../src/format/tar/index.ts'

export interface ScannedEntry {
  entry: TarEntry
  position: TarPosition
  /** The data as it stands in the tar (a sparse file's segments). */
  data: Buffer
}

export interface ScannedTar {
  entries: ScannedEntry[]
  /** Structure and data in the order told: must equal the input. */
  retold: Buffer
  split: Buffer
}

/** Scans bytes, cut into chunks of `chunkSize`; the chunk buffer is reused, so that a scanner that keeps views is found out. */
export function scanTar(
  bytes: Uint8Array,
  { chunkSize = 65536, ...options }: TarScannerOptions & { chunkSize?: number } = {},
): ScannedTar {
  const entries: (Omit<ScannedEntry, 'data'> & { pieces: Buffer[] })[] = []
  const retold: Buffer[] = []
  const split: Buffer[] = []
  const scanner = createTarScanner({
    ...options,
    onEntry: (entry, position) => entries.push({ entry, position, pieces: [] }),
    onData: (_, piece) => {
      const copy = Buffer.from(piece)
      entries.at(-1)!.pieces.push(copy)
      retold.push(copy)
    },
    onStructure: (piece) => {
      retold.push(Buffer.from(piece))
      split.push(Buffer.from(piece))
    },
  })
  const chunk = Buffer.alloc(Math.min(chunkSize, Math.max(bytes.length, 1)))
  for (let at = 0; at < bytes.length; at += chunkSize) {
    const piece = bytes.subarray(at, at + chunkSize)
    chunk.set(piece)
    scanner.push(chunk.subarray(0, piece.length))
    chunk.fill(0xee)
  }
  scanner.end()
  return {
    entries: entries.map(({ pieces, ...rest }) => ({ ...rest, data: Buffer.concat(pieces) })),
    retold: Buffer.concat(retold),
    split: Buffer.concat(split),
  }
}

/** A tar of the given entries; strings as data are UTF-8. */
export async function makeTar(entries: (PackedEntry['entry'] & { content?: string | Uint8Array })[]): Promise<Buffer> {
  const packed = entries.map(({ content, ...entry }): PackedEntry => {
    const data = content === undefined ? undefined : Buffer.from(content as Uint8Array)
    return { entry: { ...entry, size: entry.size ?? data?.length ?? 0 }, data }
  })
  return collect(packTar(packed))
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}
