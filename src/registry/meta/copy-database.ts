import { closeSync, openSync } from 'node:fs'
import { type Database, openDatabase } from './database.ts'

/** A consistent copy, while others write on. */
export function copyDatabase(database: Database, path: string): void {
  // SQLite would make it readable by all.
  closeSync(openSync(path, 'wx', 0o600))
  database.run('VACUUM INTO ?', path)
  using copy = openDatabase(path)
  copy.transaction(() => {
    copy.run('DELETE FROM uploads')
    copy.run('DELETE FROM holds')
    copy.run(`DELETE FROM gc_queue WHERE kind = 'object'`)
    copy.run(`DELETE FROM blobs WHERE state = 'condemned'`)
  })
}
