import { createMeta } from './create-meta.ts'
import type { MetaStore } from './meta-store.ts'
import { openPostgresDatabase, type PostgresOptions } from './postgres-database.ts'

export type { PostgresOptions }

/** Opens the metadata of a registry that any number of replicas share: a PostgreSQL database. */
export async function openPostgresMeta(options: PostgresOptions): Promise<MetaStore> {
  return createMeta(await openPostgresDatabase(options))
}
