import { closeSync, openSync } from 'node:fs'
import { type Clock, systemClock } from '#base'
import { createMeta } from './create-meta.ts'
import type { MetaStore } from './meta-store.ts'
import { openRegistryFile, openSqliteDatabase } from './sqlite-database.ts'

/** Opens (and makes, when new) the metadata of an embedded registry: one SQLite file. Its time is the clock's. */
export function openSqliteMeta({ path, clock = systemClock }: { path: string; clock?: Clock }): MetaStore {
  return createMeta(openSqliteDatabase(path, clock))
}

/**
 * Writes a consistent copy of a registry's file into a new one, readable by its owner alone, while others write on. Uploads,
 * holds, and what waits for its deletion are not in it.
 */
export function copySqliteMeta(from: string, to: string): void {
  // SQLite would make it readable by all.
  closeSync(openSync(to, 'wx', 0o600))
  {
    using source = openRegistryFile(from, systemClock)
    source.run('VACUUM INTO ?', to)
  }
  using copy = openRegistryFile(to, systemClock)
  copy.transaction(() => {
    for (const table of ['uploads', 'holds', 'attempts', 'request_counts', 'turns']) copy.run(`DELETE FROM ${table}`)
    copy.run(`DELETE FROM gc_queue WHERE kind = 'object'`)
    copy.run(`DELETE FROM blobs WHERE state = 'condemned'`)
  })
}
