import { BaleError, type PiecePool } from '#base'
import { createAllocator, isChunked, placeNode, type RandomSource } from '../erofs/index.ts'
import { createTarScanner } from '../tar/index.ts'
import { entryShape } from './entry-shape.ts'
import { readSplit } from './split.ts'

/** Bytes of each piece, where no pool says otherwise. */
const PIECE = 256 * 1024
/** Data of at least this length is read to its place; what is shorter, by way of a window. */
const LONG = 64 * 1024

type Part = Uint8Array | { position: number; length: number }

/**
 * The exact tar that was written: the split's bytes, with each file's data taken from the image. All pieces but the last are
 * full. The caller compares the digest with the diff ID. Throws INVALID_LAYER_IMAGE when split and image do not belong together.
 *
 * The tar scanner runs over the split alone and reports the entries; passing them to the allocator in the same order as the
 * writer did gives the positions of their data, so no map is needed and both files are read sequentially.
 */
export async function* reassemble(layer: {
  image: RandomSource
  /** Decompressed. */
  split: AsyncIterable<Uint8Array>
  /** Where each piece comes from; the caller gives them back. Otherwise each is new. */
  pieces?: PiecePool
  signal?: AbortSignal
}): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: Part[] = []
  const allocator = createAllocator()
  const chunked = await isChunked(layer.image)
  const scanner = createTarScanner({
    dataless: true,
    onStructure: (bytes) => parts.push(bytes),
    onEntry(entry) {
      const shape = entryShape(entry)
      const runs = shape && placeNode(allocator, shape, { chunked }).runs
      if (runs && entry.dataSize > 0) parts.push(...runs)
    },
  })
  const reader = createWindowReader(layer.image)
  const { pieces } = layer
  const take = (): Uint8Array => pieces?.take() ?? Buffer.allocUnsafeSlow(PIECE)
  let piece = take()
  let used = 0

  for await (const chunk of readSplit(layer.split)) {
    layer.signal?.throwIfAborted()
    scan(() => scanner.push(chunk))
    const current = parts
    parts = []
    for (const part of current) {
      for (let done = 0; done < part.length; ) {
        const length = Math.min(part.length - done, piece.length - used)
        if (part instanceof Uint8Array) piece.set(part.subarray(done, done + length), used)
        else {
          const loaded = reader.copy(part.position + done, piece.subarray(used, used + length))
          if (loaded) await loaded
        }
        done += length
        used += length
        if (used < piece.length) break
        yield piece
        piece = take()
        used = 0
      }
    }
  }
  scan(() => scanner.end())
  if (used > 0) yield piece.subarray(0, used)
}

/** A split that its own parser refuses was not written by bale, or is damaged. */
function scan(step: () => void): void {
  try {
    step()
  } catch (error) {
    throw new BaleError('INVALID_LAYER_IMAGE', 'the split of a layer is damaged', { cause: error })
  }
}

const WINDOW = 512 * 1024

/**
 * Reads that run forward on two tracks: data blocks, and the inode block that small files are still being packed into.
 * One window for each.
 */
function createWindowReader(image: RandomSource) {
  const windows = [0, 1].map(() => ({
    start: 0,
    bytes: new Uint8Array(0) as Uint8Array,
    memory: Buffer.allocUnsafeSlow(WINDOW),
  }))
  let latest = 0

  /** What a window has from there on, at most `length` bytes. */
  function find(position: number, length: number): Uint8Array | undefined {
    for (let index = 0; index < windows.length; index++) {
      const { start, bytes } = windows[index]!
      if (position < start || position >= start + bytes.length) continue
      latest = index
      return bytes.subarray(position - start, position - start + length)
    }
    return undefined
  }

  async function load(position: number): Promise<Uint8Array> {
    latest = 1 - latest
    const window = windows[latest]!
    // Should the read fail, the memory may have changed.
    window.bytes = new Uint8Array(0)
    window.bytes = await image.readAt(position, WINDOW, window.memory)
    window.start = position
    return window.bytes
  }

  async function read(position: number, target: Uint8Array): Promise<void> {
    const isLong = target.length >= LONG
    const bytes = isLong ? await image.readAt(position, target.length, target) : await load(position)
    if (bytes.length < target.length) throw tooShort()
    if (bytes.buffer !== target.buffer) target.set(bytes.subarray(0, target.length))
  }

  /** Fills `target`. Returns a promise only when it has to read. */
  function copy(position: number, target: Uint8Array): void | Promise<void> {
    const bytes = find(position, target.length)
    if (bytes) target.set(bytes)
    const there = bytes?.length ?? 0
    if (there < target.length) return read(position + there, target.subarray(there))
  }
  return { copy }
}

function tooShort(): BaleError {
  return new BaleError('INVALID_LAYER_IMAGE', 'the image of a layer ends before the data that its split refers to')
}
