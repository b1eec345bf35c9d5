import { closeSync, openSync } from 'node:fs'
import { type Clock, systemClock } from '#base'
import type { Sqlite } from '#host/sqlite'
import { createMeta } from './create-meta.ts'
import type { MetaStore } from './meta-store.ts'
import { openRegistryFile, openSqliteDatabase } from './sqlite-database.ts'
import { MOVED } from './transfer-tables.ts'

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
    dropTriggers(copy)
    for (const table of ['uploads', 'holds', 'attempts', 'request_counts', 'turns']) copy.run(`DELETE FROM ${table}`)
    copy.run(`DELETE FROM gc_queue WHERE kind = 'object'`)
    copy.run(`DELETE FROM blobs WHERE state = 'condemned'`)
  })
}

/**
 * Lets nothing of what a move copies be changed any more, by whatever process: writes are refused with UNAVAILABLE from now on,
 * while reads go on. What waits for the file is done before or refused.
 */
export function freezeSqliteMeta(path: string): void {
  using file = openRegistryFile(path, systemClock)
  file.transaction(() => {
    for (const { name, free = {}, leftOut = '0' } of MOVED) {
      const fixed = columnsOf(file, name).filter((column) => !free.columns?.includes(column))
      for (const event of ['INSERT', 'DELETE', `UPDATE OF ${fixed.join(', ')}`]) {
        const word = event.split(' ')[0]!
        if (free.events?.includes(word)) continue
        file.run(
          `CREATE TRIGGER IF NOT EXISTS frozen_${name}_${word} BEFORE ${event} ON ${name} BEGIN SELECT CASE WHEN ${word === 'INSERT' ? leftOut : '0'}
           THEN RAISE(IGNORE) ELSE RAISE(ABORT, 'the registry takes no changes: it moves to another place') END; END`,
        )
      }
    }
  })
}

/** Takes changes again. */
export function thawSqliteMeta(path: string): void {
  using file = openRegistryFile(path, systemClock)
  file.transaction(() => dropTriggers(file))
}

function columnsOf(file: Sqlite, table: string): string[] {
  return file.all<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`).map(({ name }) => name)
}

function dropTriggers(file: Sqlite): void {
  const found = file.all<{ name: string }>(
    `SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'frozen_%'`,
  )
  for (const { name } of found) file.run(`DROP TRIGGER ${name}`)
}
