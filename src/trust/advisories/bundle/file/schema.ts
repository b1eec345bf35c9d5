import { DatabaseSync } from 'node:sqlite'

/** Version of the tables and of what is in them. A bundle of another version is refused. */
export const SCHEMA_VERSION = 1

/** What SQLite's header calls these files: "BalA". Source: SQLite, "Database File Format", 1.3.13. */
export const APPLICATION_ID = 0x42616c41

/**
 * Without row ids: the content alone decides in which order rows are in the file. `name` is canonical, see `canonicalName`; `body`
 * is JSON of what an advisory says, `ids` that of the vulnerabilities that it says so of: a notice says the same of hundreds.
 */
export const TABLES = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE sources (kind TEXT NOT NULL, address TEXT NOT NULL, licence TEXT, as_of TEXT NOT NULL, records INTEGER NOT NULL,
  skipped INTEGER NOT NULL, remark TEXT, PRIMARY KEY (kind, address)) STRICT, WITHOUT ROWID;
CREATE TABLE advisories (ecosystem TEXT NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL, body TEXT NOT NULL,
  ids TEXT NOT NULL, PRIMARY KEY (ecosystem, name, source, body)) STRICT, WITHOUT ROWID;
CREATE TABLE aliases (alias TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (alias, id)) STRICT, WITHOUT ROWID;
CREATE TABLE coverage (ecosystem TEXT NOT NULL, source TEXT NOT NULL, knows TEXT NOT NULL, as_of TEXT NOT NULL,
  advisories INTEGER NOT NULL, remark TEXT, PRIMARY KEY (ecosystem, source)) STRICT, WITHOUT ROWID;
`

/** What a file's schema must be, to the letter: nothing else in it (views, triggers, functions in defaults) can then run. */
export function expectedSchema(): string {
  expected ??= schemaOfTables()
  return expected
}

let expected: string | undefined

function schemaOfTables(): string {
  const memory = new DatabaseSync(':memory:')
  try {
    memory.exec(TABLES)
    return schemaOf(memory)
  } finally {
    memory.close()
  }
}

export function schemaOf(file: DatabaseSync): string {
  const rows = file.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name LIMIT 100').all()
  return JSON.stringify(rows.map((row) => Object.values(row)))
}
