import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, printable } from '#base'
import { readBytes } from '#host/file'
import { defaultRecordLimits, type RecordFile, type RecordOptions } from './record-file.ts'

const DEEPEST = 16

/** The files of a folder and of those below it, in the order of the disk; links are not followed. */
export async function* folderRecords(folder: string, options: RecordOptions): AsyncGenerator<RecordFile> {
  const limits = { ...defaultRecordLimits, ...options.limits }
  let files = 0
  let total = 0
  for await (const path of filesBelow(folder, 0)) {
    options.signal?.throwIfAborted()
    if (++files > limits.files)
      throw new BaleError('LIMIT_EXCEEDED', `${printable(folder)} has more than ${limits.files} files`)
    if (options.wants && !options.wants(path)) continue
    const content = readBytes(path, { limit: limits.recordBytes })
    const bytes = await content.catch((error) => options.tally.skip(path, error))
    if (!bytes) continue
    total += bytes.length
    if (total > limits.totalBytes)
      throw new BaleError('LIMIT_EXCEEDED', `${printable(folder)} has more than ${limits.totalBytes} bytes`)
    yield { name: path, bytes }
  }
}

async function* filesBelow(folder: string, depth: number): AsyncGenerator<string> {
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name)
    if (entry.isFile()) yield path
    else if (entry.isDirectory() && entry.name !== '.git' && depth < DEEPEST) yield* filesBelow(path, depth + 1)
  }
}
