import type { DatabaseSync } from 'node:sqlite'
import { BaleError } from '#base'
import type { Sqlite, SqliteOptions } from './sqlite.ts'

/** Brings the file to the newest version in one transaction. Throws STORE_VERSION when it is newer than that. */
export function migrate(file: DatabaseSync, sqlite: Sqlite, { path, what, migrations }: SqliteOptions): void {
  const version = () => (file.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
  const found = version()
  const known = migrations.length
  if (found > known) {
    throw new BaleError(
      'STORE_VERSION',
      `the ${what} ${path} has version ${found}, but this bale knows only ${known}`,
      {
        next: { act: 'use-newer-bale' },
        details: { found, known },
      },
    )
  }
  if (found === known) return
  sqlite.transaction(() => {
    // Another process may have been first.
    for (let step = version(); step < known; step++) {
      file.exec(migrations[step]!)
      file.exec(`PRAGMA user_version = ${step + 1}`)
    }
  })
}
