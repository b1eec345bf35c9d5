import type { ReadableFile } from '../../analyser.ts'
import { damaged } from './damaged.ts'
import { partsOf } from './parts.ts'
import { readWriteAheadLog } from './write-ahead-log.ts'

/** The pages of a SQLite file as of its last commit. */
export interface SqlitePages {
  /** Bytes of a page that hold content; what follows is reserved for extensions. */
  readonly usable: number
  /** Pages at most: some may be missing. */
  readonly count: number
  /** Counted from 1. Throws when the file ends before it. */
  page(number: number): Promise<Buffer>
}

const MAGIC = 'SQLite format 3\0'
const HEADER_SIZE = 100

/** Reads the head of the file, and which pages its write-ahead log has. Source: sqlite.org, "Database File Format", 1.3. */
export async function openSqlitePages(file: ReadableFile, log: ReadableFile | undefined): Promise<SqlitePages> {
  const parts = partsOf(file)
  const head = await parts.at(0, HEADER_SIZE)
  const pageSize = head.readUInt16BE(16) === 1 ? 65536 : head.readUInt16BE(16)
  const usable = pageSize - head[20]!
  if (head.toString('latin1', 0, 16) !== MAGIC || !isPageSize(pageSize) || usable < 480)
    throw damaged('it is not a SQLite database')
  if (head.readUInt32BE(56) > 1) throw damaged('the rpm database has texts in UTF-16, which rpm does not write')
  const usesLog = head[19] === 2 && log !== undefined && log.size > 0
  const logged = usesLog ? await readWriteAheadLog(log, pageSize) : undefined
  return {
    usable,
    count: Math.ceil((file.size + (logged?.size ?? 0)) / pageSize),
    page: async (number) => (await logged?.page(number)) ?? parts.at((number - 1) * pageSize, pageSize),
  }
}

function isPageSize(size: number): boolean {
  return size >= 512 && (size & (size - 1)) === 0
}
