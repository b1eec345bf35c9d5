import { BaleError } from '#base'
import type { Sink } from '../erofs/index.ts'

/**
 * The split: 16 bytes that name the version, then every byte of the tar that is not file data, in order. The places of
 * the data follow from parsing it, so the version covers the parser's definition of data and the allocator.
 */
const SPLIT_HEADER = Buffer.from('bale split v1\n\0\0', 'latin1')

const PIECE = 64 * 1024

/** Collects the many small pieces of structure into large writes. */
export function createSplitWriter(sink: Sink): {
  add(bytes: Uint8Array): void | Promise<void>
  end(): void | Promise<void>
} {
  let buffer = Buffer.allocUnsafe(PIECE)
  let used = SPLIT_HEADER.copy(buffer)
  function flush(): void | Promise<void> {
    const full = buffer.subarray(0, used)
    // The sink may keep the bytes until its promise is done.
    buffer = Buffer.allocUnsafe(PIECE)
    used = 0
    return sink.write(full)
  }
  return {
    add(bytes) {
      let waits: Promise<void>[] | undefined
      for (let from = 0; from < bytes.length; ) {
        const part = bytes.subarray(from, from + PIECE - used)
        buffer.set(part, used)
        used += part.length
        from += part.length
        if (used < PIECE) break
        const written = flush()
        if (written) waits = [...(waits ?? []), written]
      }
      return waits && Promise.all(waits).then(() => undefined)
    },
    end: () => flush(),
  }
}

/** Takes the header off a split; INVALID_LAYER_IMAGE when it is not one of this version. */
export async function* readSplit(split: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let head = Buffer.alloc(0)
  let checked = false
  for await (const chunk of split) {
    if (checked) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    if (head.length < SPLIT_HEADER.length) continue
    checkHeader(head)
    checked = true
    if (head.length > SPLIT_HEADER.length) yield head.subarray(SPLIT_HEADER.length)
  }
  if (!checked) checkHeader(head)
}

function checkHeader(head: Buffer): void {
  if (head.subarray(0, SPLIT_HEADER.length).equals(SPLIT_HEADER)) return
  throw new BaleError('INVALID_LAYER_IMAGE', 'the split of a layer is damaged or of an unknown version')
}
