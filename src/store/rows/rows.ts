import type { Clock, Log } from '#base'
import type { FileBlobs } from '#blob'
import type { Database } from './database.ts'
import type { Layout } from './layout.ts'

/** One open store as its tables see it: the database, where its files are, and the clock that dates rows. */
export interface Rows {
  readonly database: Database
  readonly layout: Layout
  readonly blobs: FileBlobs
  readonly clock: Clock
  readonly log: Log
}
