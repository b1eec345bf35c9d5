import { closeSync, openSync, readSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { BaleError, errnoOf, printable } from '#base'
import { damagedBundle, readingBundle, unknownSchema } from './bundle-error.ts'
import { type AdvisoryBundle, BundleFile } from './bundle-file.ts'
import { APPLICATION_ID, expectedSchema, SCHEMA_VERSION, schemaOf } from './schema.ts'

/**
 * Opens a bundle for reading. The file may come from anywhere: it is opened without locks, journals and anything that could run,
 * its schema must be this bale's to the letter, and what is read is checked. It may be replaced meanwhile, not
 * changed. Throws PATH_NOT_FOUND, INVALID_ARCHIVE for a damaged file, UNSUPPORTED for another schema; the methods INVALID_ARCHIVE.
 */
export function openBundle(path: string): AdvisoryBundle {
  checkHeader(path)
  return readingBundle(path, () => {
    const url = pathToFileURL(path)
    url.searchParams.set('immutable', '1')
    const file = new DatabaseSync(url, { readOnly: true, allowExtension: false })
    try {
      file.enableDefensive(true)
      file.exec(
        'PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA query_only = ON',
      )
      if (schemaOf(file) !== expectedSchema()) throw damagedBundle(path, 'its tables are not those of a bundle')
      return new BundleFile(path, file)
    } catch (error) {
      file.close()
      throw error
    }
  })
}

/** The header before SQLite sees the file. Source: SQLite, "Database File Format", 1.3. */
function checkHeader(path: string): void {
  const header = Buffer.alloc(100)
  const read = readHeader(path, header)
  if (read < 100 || header.toString('latin1', 0, 16) !== 'SQLite format 3\0')
    throw damagedBundle(path, 'it is no SQLite file')
  if (header.readUInt32BE(68) !== APPLICATION_ID) throw damagedBundle(path, 'it is another kind of SQLite file')
  const schema = header.readUInt32BE(60)
  if (schema !== SCHEMA_VERSION) throw unknownSchema(path, schema, SCHEMA_VERSION)
}

function readHeader(path: string, header: Buffer): number {
  try {
    const fd = openSync(path, 'r')
    try {
      return readSync(fd, header)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    const code = errnoOf(error)
    if (code === undefined) throw error
    if (code === 'EISDIR') throw damagedBundle(path, 'it is a directory')
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      throw new BaleError('INVALID_ARGUMENT', `cannot read ${printable(path)} (${code})`, { cause: error })
    throw new BaleError('PATH_NOT_FOUND', `there is no bundle of advisories at ${printable(path)}`, { cause: error })
  }
}
