import { BaleError } from '#base'
import { decompressAny } from '#format'
import { createTarScanner, type TarEntry } from '#format/tar'
import { defaultRecordLimits, type RecordFile, type RecordOptions } from './record-file.ts'

/**
 * The files of a tar archive, compressed or not, as they come. Throws INVALID_TAR, INVALID_COMPRESSION, LIMIT_EXCEEDED: what
 * came before that is not to be trusted either.
 */
export async function* tarRecords(
  archive: AsyncIterable<Uint8Array>,
  options: RecordOptions,
): AsyncGenerator<RecordFile> {
  const limits = { ...defaultRecordLimits, ...options.limits }
  const { signal } = options
  const ready: RecordFile[] = []
  let pieces: Uint8Array[] | undefined
  const scanner = createTarScanner({
    limits: { entries: limits.files },
    onEntry(entry) {
      pieces = isWanted(entry, options, limits.recordBytes) ? [] : undefined
    },
    onData(_entry, bytes) {
      // The bytes are the scanner's for this call only.
      pieces?.push(Uint8Array.from(bytes))
    },
    onEndOfEntry({ name }) {
      if (pieces) ready.push({ name, bytes: Buffer.concat(pieces) })
      pieces = undefined
    },
  })
  for await (const chunk of decompressAny(archive, { limits: { outputBytes: limits.totalBytes }, signal })) {
    signal?.throwIfAborted()
    scanner.push(chunk)
    yield* ready.splice(0)
  }
  scanner.end()
  yield* ready
}

function isWanted({ name, type, size, sparse }: TarEntry, options: RecordOptions, limit: number): boolean {
  if (type !== 'file' || sparse || (options.wants && !options.wants(name))) return false
  if (size <= limit) return true
  options.tally.skip(name, new BaleError('LIMIT_EXCEEDED', `it has more than ${limit} bytes`))
  return false
}
