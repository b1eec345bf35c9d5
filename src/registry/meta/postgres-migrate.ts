import { BaleError } from '#base'
import { POSTGRES_MIGRATIONS } from './postgres-schema.ts'
import type { Transaction } from './sql.ts'

/** Of all replicas that start at once, one makes the tables; the others wait for it. Any number that no other program uses. */
const LOCK = 7_209_181_334

/** Brings the tables to the newest version. Throws STORE_VERSION when a newer bale made them. */
export async function migratePostgres(sql: Transaction): Promise<void> {
  await sql.all(`SELECT pg_advisory_xact_lock(${LOCK})`)
  await sql.run('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)')
  const row = await sql.get('SELECT version FROM schema_version')
  const found = Number(row?.['version'] ?? 0)
  const known = POSTGRES_MIGRATIONS.length
  if (found > known) {
    throw new BaleError(
      'STORE_VERSION',
      `the database of the registry has version ${found}, but this bale knows only ${known}`,
      { next: { act: 'use-newer-bale' }, details: { found, known } },
    )
  }
  if (found === known) return
  for (const migration of POSTGRES_MIGRATIONS.slice(found)) {
    for (const statement of migration.split(/;\n/)) if (statement.trim()) await sql.run(statement)
  }
  if (row) await sql.run('UPDATE schema_version SET version = ?', known)
  else await sql.run('INSERT INTO schema_version (version) VALUES (?)', known)
}
