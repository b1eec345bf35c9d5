import { createHasher, digestOf } from '#blob'
import type { PackedEntry } from '#format/tar'
import type { Digest } from '#spec'

type Data = Exclude<PackedEntry['data'], undefined | Uint8Array | ((...args: never) => unknown)>

/**
 * The data of a file's entry, whose digest is told when they have been read to the end. It is that of the file as it appears: with
 * the holes of a sparse one as zeros.
 */
export function hashedData({ entry, data }: PackedEntry, ended: (digest: Digest) => void): PackedEntry['data'] {
  if (typeof data === 'function') return async () => hashing(entry, await data(), ended)
  if (data !== undefined && !(data instanceof Uint8Array)) return hashing(entry, data, ended)
  if (entry.sparse) return hashing(entry, data ? [data] : [], ended)
  ended(digestOf(data ?? new Uint8Array()))
  return data
}

function hashing(
  entry: PackedEntry['entry'],
  data: Data,
  ended: (digest: Digest) => void,
): AsyncIterable<Uint8Array> & Disposable {
  return {
    async *[Symbol.asyncIterator]() {
      const hasher = wholeFileHasher(entry)
      for await (const chunk of data) {
        hasher.update(chunk)
        yield chunk
      }
      ended(hasher.digest())
    },
    [Symbol.dispose]: () => data[Symbol.dispose]?.(),
  }
}

const ZEROS = new Uint8Array(64 * 1024)

/** Takes the data of the extents, one after the other. */
function wholeFileHasher({ sparse, size = 0 }: PackedEntry['entry']) {
  const hasher = createHasher()
  const extents = (sparse ?? [{ offset: 0, length: size }]).filter(({ length }) => length > 0)
  let position = 0
  let index = 0
  const fillTo = (end: number) => {
    for (; position < end; position += Math.min(ZEROS.length, end - position))
      hasher.update(ZEROS.subarray(0, end - position))
  }
  return {
    update(chunk: Uint8Array): void {
      for (let rest = chunk, extent = extents[index]; extent && rest.length > 0; extent = extents[index]) {
        fillTo(extent.offset)
        const part = rest.subarray(0, extent.offset + extent.length - position)
        hasher.update(part)
        position += part.length
        rest = rest.subarray(part.length)
        if (position === extent.offset + extent.length) index++
      }
    },
    digest(): Digest {
      fillTo(size)
      return hasher.digest()
    },
  }
}
