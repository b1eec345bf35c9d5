/** A stream without its first bytes, for sources that can only be read from their start. */
export function skipBytes(stream: AsyncIterable<Uint8Array>, count: number): AsyncIterable<Uint8Array> {
  return count > 0 ? afterFirst(stream, count) : stream
}

async function* afterFirst(stream: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count
  for await (const chunk of stream) {
    if (left < chunk.byteLength) yield left > 0 ? chunk.subarray(left) : chunk
    left = Math.max(0, left - chunk.byteLength)
  }
}
