import { BaleError } from '#base'
import { createAllocator, isChunked, placeNode, type RandomSource } from '../erofs/index.ts'
import { createTarScanner } from '../tar/index.ts'
import { entryShape } from './entry-shape.ts'
import { readSplit } from './split.ts'

/** Output pieces; small ones are joined up to this size. */
const PIECE = 256 * 1024
/** Data of at least this length is passed on without a copy. */
const LONG = 64 * 1024

type Part = Uint8Array | { position: number; length: number }

/**
 * The exact tar that was written: the split's bytes, with each file's data taken from the image. The caller compares the
 * digest with the diff ID. Throws INVALID_LAYER_IMAGE when split and image do not belong together.
 *
 * The tar scanner runs over the split alone and reports the entries; passing them to the allocator in the same order as the
 * writer did gives the positions of their data, so no map is needed and both files are read sequentially.
 */
export async function* reassemble(layer: {
  image: RandomSource
  /** Decompressed. */
  split: AsyncIterable<Uint8Array>
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
  let joined = Buffer.allocUnsafe(PIECE)
  let used = 0

  for await (const chunk of readSplit(layer.split)) {
    layer.signal?.throwIfAborted()
    scan(() => scanner.push(chunk))
    const current = parts
    parts = []
    for (const part of current) {
      const length = part.length
      if (used > 0 && (length >= LONG || used + length > PIECE)) {
        yield joined.subarray(0, used)
        joined = Buffer.allocUnsafe(PIECE)
        used = 0
      }
      if (length >= LONG) {
        if (part instanceof Uint8Array) yield part
        else yield* reader.long(part.position, length)
        continue
      }
      if (part instanceof Uint8Array) joined.set(part, used)
      else {
        const loaded = reader.copy(part.position, length, joined, used)
        if (loaded) await loaded
      }
      used += length
    }
  }
  scan(() => scanner.end())
  if (used > 0) yield joined.subarray(0, used)
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
  const windows = [
    { start: 0, bytes: new Uint8Array(0) as Uint8Array },
    { start: 0, bytes: new Uint8Array(0) as Uint8Array },
  ]
  let latest = 0

  function find(position: number, length: number): Uint8Array | undefined {
    for (let index = 0; index < windows.length; index++) {
      const { start, bytes } = windows[index]!
      if (position < start || position + length > start + bytes.length) continue
      latest = index
      return bytes.subarray(position - start, position - start + length)
    }
    return undefined
  }

  async function load(position: number, length: number): Promise<Uint8Array> {
    const bytes = await image.readAt(position, Math.max(length, WINDOW))
    if (bytes.length < length) throw tooShort()
    latest = 1 - latest
    windows[latest] = { start: position, bytes }
    return bytes.subarray(0, length)
  }

  return {
    /** Returns a promise only when it has to read. */
    copy(position: number, length: number, target: Uint8Array, at: number): void | Promise<void> {
      const bytes = find(position, length)
      if (!bytes) return load(position, length).then((loaded) => target.set(loaded, at))
      target.set(bytes, at)
    },
    async *long(position: number, length: number): AsyncGenerator<Uint8Array> {
      for (let done = 0; done < length; ) {
        const bytes = await image.readAt(position + done, Math.min(length - done, WINDOW))
        if (bytes.length === 0) throw tooShort()
        yield bytes
        done += bytes.length
      }
    },
  }
}

function tooShort(): BaleError {
  return new BaleError('INVALID_LAYER_IMAGE', 'the image of a layer ends before the data that its split refers to')
}
