import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import pg from 'pg'
import { isBaleError, systemClock } from '#base'
import { digestOf } from '#blob'
import { MediaType } from '#spec'
import { postgresPlace } from '../../../test/kit/meta-places.ts'
import { startPostgres, withoutPostgres } from '../../../test/kit/postgres.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import { metaStoreContract } from './contract.ts'
import { openPostgresMeta } from './index.ts'
import { image } from './kit-contract.ts'
import { openPostgresDatabase } from './postgres-database.ts'
import { POSTGRES_MIGRATIONS } from './postgres-schema.ts'
import { openSqliteDatabase } from './sqlite-database.ts'

const skip = withoutPostgres()
/** One server for all tests of this file; each has a database of its own. */
const server = skip ? undefined : await startPostgres()
after(() => server?.[Symbol.asyncDispose]())

async function asOwner<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

if (skip) test('PostgreSQL', { skip }, () => undefined)
else metaStoreContract('PostgreSQL', () => postgresPlace(server!))

test('replicas that start at once on an empty database make its tables once', { skip }, async () => {
  const url = await server!.database()
  const all = await Promise.all(Array.from({ length: 8 }, () => openPostgresMeta({ url })))
  assert.equal(await all[0]!.addAccount({ kind: 'user', name: 'ann', passwordHash: 'h', admin: false }), 'added')
  for (const meta of all) assert.equal((await meta.listAccounts('user')).length, 1)
  await Promise.all(all.map((meta) => meta.close()))
})

test('images of a database that did not queue them are scanned after those that come', { skip }, async () => {
  const url = await server!.database()
  const before = POSTGRES_MIGRATIONS.findIndex((step) => step.includes('CREATE TABLE scans'))
  await asOwner(url, async (client) => {
    await client.query('BEGIN')
    for (const step of POSTGRES_MIGRATIONS.slice(0, before)) {
      for (const statement of step.split(/;\n/)) if (statement.trim()) await client.query(statement)
    }
    await client.query('COMMIT')
    await client.query('CREATE TABLE schema_version (version integer NOT NULL)')
    await client.query('INSERT INTO schema_version (version) VALUES ($1)', [before])
    await client.query(`INSERT INTO repositories (name, created_at) VALUES ('a/b', 10), ('c/d', 10)`)
    await client.query(
      `INSERT INTO manifests (repo_id, digest, media_type, descriptor, body, pushed_at)
       SELECT r.id, $1, $2, '{}', 'old', 20 FROM repositories r`,
      [digestOf('old'), MediaType.ociManifest],
    )
  })
  const meta = await openPostgresMeta({ url })
  assert.deepEqual(await meta.countScans(9), { waiting: 1, failed: 0 })
  await meta.putManifest('a/b', image('new'))
  const take = () => meta.takeScan({ lease: 1000, analyser: '1' })
  assert.deepEqual(
    [(await take())?.digest, (await take())?.digest, await take()],
    [digestOf('new'), digestOf('old'), undefined],
  )
  assert.ok(await meta.addPolicy({ kind: 'gate', pattern: 'a/b' }))
  await meta.close()
})

test('the database of a newer bale is not touched', { skip }, async () => {
  const url = await server!.database()
  await (await openPostgresMeta({ url })).close()
  await asOwner(url, (client) => client.query('UPDATE schema_version SET version = 99'))
  await assert.rejects(openPostgresMeta({ url }), { code: 'STORE_VERSION' })
})

test('a missing database and a silent server give clear errors', { skip }, async () => {
  const url = await server!.database()
  await assert.rejects(openPostgresMeta({ url: url.replace(/registry\d+$/, 'none') }), { code: 'INVALID_ARGUMENT' })
  const away = openPostgresMeta({ url: 'postgres://bale@127.0.0.1:1/x', patience: 100 })
  await assert.rejects(away, { code: 'UNAVAILABLE' })
  await assert.rejects(openPostgresMeta({ url: 'mysql://x' }), { code: 'INVALID_ARGUMENT' })
})

test('of several hosts the one that takes writes is found', { skip }, async () => {
  const url = await server!.database()
  const hosts = url.replace('@127.0.0.1', '@127.0.0.1:1,127.0.0.1')
  const meta = await openPostgresMeta({ url: hosts, patience: 20_000 })
  assert.equal(await meta.addAccount({ kind: 'user', name: 'ann', passwordHash: 'h', admin: false }), 'added')
  await meta.close()
})

test('when the primary dies its standby takes over, and has all that was answered', { skip }, async () => {
  await using primary = await startPostgres()
  const url = await primary.database()
  await using standby = await primary.standby()
  const hosts = url.replace(`:${primary.port}/`, `:${primary.port},127.0.0.1:${standby.port}/`)
  const meta = await openPostgresMeta({ url: hosts, patience: 60_000 })
  try {
    const names = Array.from({ length: 40 }, (_, number) => `user${number}`)
    const add = (name: string) => meta.addAccount({ kind: 'user', name, passwordHash: 'h', admin: false })
    for (const name of names.slice(0, 20)) assert.equal(await add(name), 'added')
    await primary.kill()
    const [next] = await Promise.all([add(names[20]!), standby.promote()])
    assert.equal(next, 'added')
    for (const name of names.slice(21)) assert.equal(await add(name), 'added')
    assert.equal((await meta.listAccounts('user')).length, names.length)
  } finally {
    await meta.close()
  }
})

test('what is due is found by an index, however much is not', { skip }, async () => {
  const url = await server!.database()
  await (await openPostgresMeta({ url })).close()
  await asOwner(url, async (client) => {
    await client.query('SET enable_seqscan = off')
    for (const [column, statement] of [
      [
        'review_after',
        `SELECT key FROM gc_queue WHERE kind = 'blob' AND review_after <= now_ms() ORDER BY review_after LIMIT 500`,
      ],
      ['due_at', `SELECT digest FROM scans WHERE state = 'waiting' AND due_at <= now_ms() ORDER BY due_at LIMIT 1`],
    ]) {
      const { rows } = await client.query(`EXPLAIN ${statement}`)
      // As a filter it would be asked of every row that there is.
      assert.match(
        rows.map((row) => row['QUERY PLAN']).join('\n'),
        new RegExp(`Index Cond: .*${column} <= (?:now_ms|\\(\\(EXTRACT)`),
      )
    }
  })
})

test('both databases have the same tables with the same columns', { skip }, async () => {
  const url = await server!.database()
  const database = await openPostgresDatabase({ url })
  const there = await database.all(
    `SELECT table_name AS name, column_name AS part FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name <> 'schema_version'`,
  )
  await database.close()
  await using directory = await temporaryDirectory('bale-columns')
  const sqlite = openSqliteDatabase(join(directory.path, 'registry.db'), systemClock)
  const here = await sqlite.all(
    `SELECT m.name, p.name AS part FROM sqlite_master m JOIN pragma_table_info(m.name) p
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'`,
  )
  await sqlite.close()
  const names = (rows: typeof here) => rows.map(({ name, part }) => `${name}.${part}`).toSorted()
  assert.deepEqual(names(there), names(here))
})

test('a server that dies and comes back costs a wait: nothing that was answered is lost', { skip }, async () => {
  await using own = await startPostgres()
  const url = await own.database()
  const meta = await openPostgresMeta({ url, patience: 60_000 })
  try {
    const answered: string[] = []
    let stop = false
    const writing = (async () => {
      for (let number = 0; !stop; number++) {
        const name = `user${number}`
        const outcome = await meta
          .addAccount({ kind: 'user', name, passwordHash: 'h', admin: false })
          .catch((error: unknown) => {
            // Killed during COMMIT: whether it was done is unknown.
            if (!isBaleError(error, 'UNAVAILABLE')) throw error
            return 'unknown'
          })
        if (outcome === 'added') answered.push(name)
      }
    })()
    for (const times of [20, 40]) {
      await until('some are written', () => answered.length > times)
      await own.kill()
      await own.start()
    }
    const before = answered.length
    await until('it goes on', () => answered.length > before + 10)
    stop = true
    await writing
    const there = new Set((await meta.listAccounts('user')).map(({ name }) => name))
    assert.deepEqual(
      answered.filter((name) => !there.has(name)),
      [],
    )
  } finally {
    await meta.close()
  }
})
