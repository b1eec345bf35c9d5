import { stat } from 'node:fs/promises'
import { detectCompression } from '#format'
import { readBytes, streamFile } from '#host/file'
import { folderRecords } from './folder-records.ts'
import { defaultRecordLimits, type RecordFile, type RecordOptions } from './record-file.ts'
import { tarRecords } from './tar-records.ts'
import { zipRecords } from './zip-records.ts'

/**
 * The records of a folder, of an archive (zip, or tar with or without compression) or of a single file, as its first bytes
 * say. A damaged record is skipped and counted; a damaged archive is INVALID_ARCHIVE, INVALID_TAR or INVALID_COMPRESSION.
 */
export async function* openRecords(path: string, options: RecordOptions): AsyncGenerator<RecordFile> {
  if ((await stat(path)).isDirectory()) return yield* folderRecords(path, options)
  const first = await beginning(path)
  if (ZIPS.some((magic) => first.toString('latin1', 0, 4) === magic)) yield* zipRecords(path, options)
  else if (detectCompression(first) === 'none' && !isTar(first)) yield await wholeFile(path, options)
  else yield* tarRecords(streamFile(path, { signal: options.signal }), options)
}

/** With files, and without any. Source: APPNOTE.TXT sections 4.3.7 and 4.3.16. */
const ZIPS = ['PK\x03\x04', 'PK\x05\x06']

/** The magic of POSIX and GNU tars. */
function isTar(first: Buffer): boolean {
  return first.toString('latin1', 257, 262) === 'ustar'
}

async function wholeFile(path: string, { limits }: RecordOptions): Promise<RecordFile> {
  const { recordBytes } = { ...defaultRecordLimits, ...limits }
  return { name: path, bytes: await readBytes(path, { limit: recordBytes }) }
}

async function beginning(path: string): Promise<Buffer> {
  for await (const chunk of streamFile(path, { end: 512 })) return Buffer.from(chunk)
  return Buffer.alloc(0)
}
