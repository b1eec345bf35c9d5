/** Bytes in memory as a stream of one chunk, or of none when they are empty. */
export async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes
}
