/** Metadata of a registry in a database of a test's own, whose time the test sets. */
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from '../../src/base/index.ts'
import { type MetaStore, openPostgresMeta, openSqliteMeta } from '../../src/registry/meta/index.ts'
import type { Postgres } from './postgres.ts'
import { temporaryDirectory } from './temporary.ts'

export interface MetaPlace extends AsyncDisposable {
  /** Opens the same data: each call is what another process or replica would see. The caller closes it. */
  open(): Promise<MetaStore>
  /** Sets the database's time, in milliseconds since 1970; it stands still then. */
  setTime(time: number): Promise<void>
}

export async function sqlitePlace(): Promise<MetaPlace> {
  const directory = await temporaryDirectory('bale-meta')
  const state = { time: Date.now() }
  const clock = { ...systemClock, now: () => state.time }
  return {
    open: async () => openSqliteMeta({ path: join(directory.path, 'registry.db'), clock }),
    async setTime(time) {
      state.time = time
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

const CLOCK = `
  CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT time FROM test_time'`

export async function postgresPlace(server: Postgres): Promise<MetaPlace> {
  const url = await server.database()
  await (await openPostgresMeta({ url })).close()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const setTime = async (time: number) => {
    const set = 'INSERT INTO test_time VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET time = excluded.time'
    await client.query(set, [time])
  }
  await client.query('CREATE TABLE test_time (id integer PRIMARY KEY, time bigint)')
  await setTime(Date.now())
  await client.query(CLOCK)
  return { open: () => openPostgresMeta({ url }), setTime, [Symbol.asyncDispose]: () => client.end() }
}
