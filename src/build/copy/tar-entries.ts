import { createTarScanner, type TarEntry } from '#format/tar'
import type { TreeEntry } from '../context/index.ts'

/** The entries of a tar one after the other; the data of each must be taken (or skipped by asking for the next) in order. */
export async function* tarEntries(
  tar: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ entry: TarEntry; data: AsyncIterable<Uint8Array> }> {
  const events: ({ entry: TarEntry } | { bytes: Uint8Array } | { end: true })[] = []
  const scanner = createTarScanner({
    onEntry: (entry) => events.push({ entry }),
    // The bytes are a view of the chunk, which lives as long as they are held here.
    onData: (_entry, bytes) => events.push({ bytes }),
    onEndOfEntry: () => events.push({ end: true }),
  })
  const source = tar[Symbol.asyncIterator]()
  let ended = false
  const next = async () => {
    while (events.length === 0 && !ended) {
      const { done, value } = await source.next()
      // A copy, since the producer may reuse the chunk.
      if (!done) scanner.push(Buffer.from(value))
      else {
        ended = true
        scanner.end()
      }
    }
    return events.shift()
  }
  try {
    for (let event = await next(); event; event = await next()) {
      if (!('entry' in event)) continue
      const { entry } = event
      let finished = false
      const data = async function* () {
        while (!finished) {
          const piece = await next()
          if (!piece || 'end' in piece) finished = true
          else if ('bytes' in piece) yield piece.bytes
        }
      }
      const stream = data()
      yield { entry, data: stream }
      for await (const _ of stream);
    }
  } finally {
    await source.return?.()
  }
}

/** The data of an entry as the file appears: the holes of a sparse file as zeros. */
export async function* fullData(
  entry: Pick<TarEntry, 'sparse' | 'size'> | Pick<TreeEntry, 'sparse' | 'size'>,
  data: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (!entry.sparse) return yield* data
  const zeros = Buffer.alloc(1 << 16)
  let position = 0
  let segment = 0
  let within = 0
  const fill = function* (end: number) {
    while (position < end) {
      const length = Math.min(zeros.length, end - position)
      position += length
      yield zeros.subarray(0, length)
    }
  }
  for await (let bytes of data) {
    while (bytes.length > 0) {
      const { offset, length } = entry.sparse[segment]!
      yield* fill(offset)
      const part = bytes.subarray(0, length - within)
      bytes = bytes.subarray(part.length)
      within += part.length
      position += part.length
      yield part
      if (within === length) {
        segment++
        within = 0
      }
    }
  }
  yield* fill(entry.size)
}
