import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { digestOf } from '#blob'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { freezeSqliteMeta, openSqliteMeta, thawSqliteMeta } from './index.ts'
import { image, manifest, push } from './kit-contract.ts'
import { MOVED } from './transfer-tables.ts'

/** Tables whose rows are of the moment: uploads begin again, the rest is made anew; what is used is counted by triggers. */
const LEFT = [
  'uploads',
  'gc_queue',
  'holds',
  'attempts',
  'turns',
  'device_logins',
  'request_counts',
  'usage_deltas',
  'usage_totals',
  'exempt_pulls',
  'gate_generation',
]

/** The tables of a registry, as SQLite knows them. */
async function emptyRegistry() {
  const place = await temporaryDirectory('bale-transfer')
  const path = join(place.path, 'registry.db')
  const meta = openSqliteMeta({ path })
  const database = new DatabaseSync(path)
  return {
    path,
    meta,
    column: (sql: string) =>
      database
        .prepare(sql)
        .all()
        .map((row) => String(Object.values(row)[0])),
    async [Symbol.asyncDispose]() {
      database.close()
      await meta.close()
      await place[Symbol.asyncDispose]()
    },
  }
}

test('every table is moved or left on purpose, by its primary key, and after those that it refers to', async () => {
  await using registry = await emptyRegistry()
  const tables = registry.column(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`)
  assert.deepEqual([...MOVED.map(({ name }) => name), ...LEFT].toSorted(), tables.toSorted())
  for (const [at, { name, key, identity = [], large, sealed, free }] of MOVED.entries()) {
    const own = registry.column(`SELECT name FROM pragma_table_info('${name}') WHERE pk > 0 ORDER BY pk`)
    assert.deepEqual(
      key.map((one) => one.replace('#', '')),
      own,
      name,
    )
    const numbers = registry.column(
      `SELECT name FROM pragma_table_info('${name}') WHERE pk > 0 AND type = 'INTEGER' ORDER BY pk`,
    )
    assert.deepEqual(
      key.filter((one) => one.startsWith('#')).map((one) => one.slice(1)),
      numbers,
      name,
    )
    const columns = registry.column(`SELECT name FROM pragma_table_info('${name}')`)
    for (const one of [...identity, ...[large, sealed].filter((one) => one !== undefined), ...(free?.columns ?? [])])
      assert.ok(columns.includes(one), `${name}.${one}`)
    const before = MOVED.slice(0, at).map((table) => table.name)
    for (const needed of registry.column(`SELECT "table" FROM pragma_foreign_key_list('${name}')`)) {
      assert.ok(before.includes(needed), `${name} before ${needed}`)
    }
  }
})

test('a frozen registry refuses changes in every process, says why, and answers questions; thawed, it takes them', async () => {
  await using registry = await emptyRegistry()
  const { meta, path } = registry
  const { digest } = await push(meta, 'a/b', 'one', { lease: 10 })
  await meta.putManifest('a/b', manifest({ content: 'm', tags: ['t'] }))
  await meta.putManifest('a/b', image('image'))
  const events = ['certificate.*', 'image.*']
  const hook = { id: 'h', name: 'h', url: 'https://h.example/', pattern: '**', events, secret: 's' }
  await meta.addHook(hook)
  freezeSqliteMeta(path)
  freezeSqliteMeta(path)
  const refused = { code: 'UNAVAILABLE', message: 'the registry takes no changes: it moves to another place' }
  const changes = [
    () => push(meta, 'a/b', 'two'),
    () => meta.putManifest('a/b', manifest({ content: 'n', tags: ['u'] })),
    () => meta.deleteTag('a/b', 't', 'ann'),
    () => meta.deleteManifest('a/b', digestOf('m'), 'ann'),
    () => meta.addAccount({ kind: 'user', name: 'ann', passwordHash: 'h', admin: false }),
    () => meta.addPolicy({ kind: 'keep', pattern: '**', tags: [], last: 3 }),
    () => meta.takeTrial('h', { lease: 1000 }),
    () => meta.addException({ vulnerability: 'CVE-2024-1', pattern: '**', reason: 'r', lasts: 1000 }),
    () => meta.setImageState('a/b', digestOf('image'), { kind: 'released', reason: 'r' }),
  ]
  for (const change of changes) await assert.rejects(change, refused, String(change))
  assert.equal((await meta.findBlob('a/b', digest, { lease: 86_400_000 }))?.size, 3, 'its lease is renewed')
  assert.deepEqual(await meta.listTags('a/b', { limit: 9 }), ['t'])
  assert.equal(await meta.takeTurn('collection', 'x', 1000), true)
  await meta.putAcmeText('certificate', 'renewed', { record: ['registry.example'] })
  const taken = (await meta.takeScan({ lease: 1000, analyser: '1' }))!
  assert.equal(
    await meta.endScan(taken, { outcome: 'scanned', analyser: '1', inventory: Buffer.from('i') }),
    true,
    'pulls wait for it',
  )
  const [due] = await meta.listUnmatched('v', { limit: 1 })
  await meta.putResults([{ ...due!, advisories: 'v', bytes: Buffer.from('r') }])
  await meta.noteFindings(['CVE-2024-1 deb/openssl'])
  assert.equal(await meta.tellRelease('a/b', taken.digest, { outcome: 'blocked', detail: 'd' }), true)
  await meta.recordExemptPull({ repository: 'a/b', digest: taken.digest, actor: 'user:ann', detail: 'd' })
  assert.equal((await meta.listAudit({ action: 'image.*', limit: 9 })).length, 2)
  assert.deepEqual(await meta.listDeliveries({ limit: 9 }), [], 'the new place tells hooks, and not of this')
  assert.equal((await meta.listAudit({ action: 'certificate.*', limit: 1 })).length, 1)
  thawSqliteMeta(path)
  for (const change of changes) await change()
})
