/**
 * What the metadata of a large registry costs: fills a PostgreSQL of its own by SQL, asks what the registry asks, and shows for each
 * question its time and its plans: `npm run bench:registry-scale [-- --manifests 10000000 --links 10 --repositories 100000 --tags 100000]`.
 * The server lies below TMPDIR; a manifest with ten links takes some 3 kB. `--plans` prints the plans whole.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { digestOf as digestOfBytes } from '#blob'
import type { Digest } from '#spec'
import { createMeta } from '../src/registry/meta/create-meta.ts'
import { type MetaStore, type NewManifest, openSqliteMeta } from '../src/registry/meta/index.ts'
import { openPostgresDatabase } from '../src/registry/meta/postgres-database.ts'
import type { Sql, SqlDatabase, SqlValue, Transaction } from '../src/registry/meta/sql.ts'
import { startPostgres } from '../test/kit/postgres.ts'
import { type Plan, planFaults } from './plan-faults.ts'
import { median } from './timed.ts'

const { values: flags } = parseArgs({
  options: {
    manifests: { type: 'string', default: '1000000' },
    links: { type: 'string', default: '10' },
    repositories: { type: 'string', default: '100000' },
    tags: { type: 'string', default: '100000' },
    plans: { type: 'boolean', default: false },
  },
})
const [manifests, links, repositories, tags] = [flags.manifests, flags.links, flags.repositories, flags.tags].map(
  Number,
)
const SETTINGS = ["shared_buffers '4GB'", "max_wal_size '16GB'", "checkpoint_timeout '30min'"]
const BLOBS = Math.max(1000, Math.floor(manifests! / 2))
const DUE = 2000

/** Digests that SQL and this program make alike. */
const digestOf = (kind: string, number: string) =>
  `'sha256:' || md5('${kind}' || ${number}) || md5('more' || ${number})`

/** The first repository has the many tags; the links are spread over all blobs. */
const FILL: readonly [what: string, sql: string][] = [
  [
    'repositories',
    `INSERT INTO repositories (name, created_at) SELECT 'org' || g % 1000 || '/repo' || g, 0 FROM generate_series(1, ${repositories}) g`,
  ],
  [
    'blobs',
    `INSERT INTO blobs (size, state, storage_key, created_at) SELECT 1000000, 'active', md5('key' || g), 0 FROM generate_series(1, ${BLOBS}) g`,
  ],
  ['digests of blobs', `INSERT INTO blob_digests SELECT ${digestOf('blob', 'id')}, id FROM blobs`],
  [
    'manifests',
    `INSERT INTO manifests (repo_id, digest, media_type, subject_digest, descriptor, body, pushed_at)
     SELECT CASE WHEN g % 100 = 0 THEN 1 ELSE 1 + g % ${repositories} END, ${digestOf('manifest', 'g')}, 'application/vnd.oci.image.manifest.v1+json',
     CASE WHEN g % 20 = 0 THEN ${digestOf('manifest', '1')} END, '{"digest":"' || g || '"}', decode(repeat(md5(g::text), 20), 'hex'), 0
     FROM generate_series(1, ${manifests}) g`,
  ],
  [
    'links',
    `INSERT INTO manifest_blobs SELECT m, 1 + (m::bigint * 7919 + k * 104729) % ${BLOBS} FROM generate_series(1, ${manifests}) m, generate_series(1, ${links}) k`,
  ],
  [
    'blobs of repositories',
    `INSERT INTO repo_blobs SELECT DISTINCT m.repo_id, mb.blob_id, 0 FROM manifest_blobs mb JOIN manifests m ON m.id = mb.manifest_id`,
  ],
  [
    'tags of one repository',
    `INSERT INTO tags SELECT 1, 't' || lpad(g::text, 7, '0'), (SELECT min(id) FROM manifests WHERE repo_id = 1), 1, 0, 'user:ann', 0 FROM generate_series(1, ${tags}) g`,
  ],
  [
    'tags of all',
    `INSERT INTO tags SELECT repo_id, 'v' || id, id, 1, 0, 'user:ann', 0 FROM manifests WHERE id % 3 = 0`,
  ],
  [
    'history',
    `INSERT INTO tag_history (repo_id, name, digest, at, actor) SELECT t.repo_id, t.name, m.digest, 0, 'user:ann' FROM tags t JOIN manifests m ON m.id = t.manifest_id`,
  ],
  [
    'audit log',
    `INSERT INTO audit (at, actor, action, target, outcome) SELECT g, 'user:u' || g % 5000, 'tag.set', 'org' || g % 1000 || '/repo' || g || ':v1', CASE WHEN g % 10 = 0 THEN 'refused' ELSE 'done' END FROM generate_series(1, ${manifests}) g`,
  ],
  [
    'public patterns',
    `INSERT INTO public_patterns (pattern, first) SELECT 'org' || g || '/**', 'org' || g FROM generate_series(1, ${repositories}) g`,
  ],
  [
    'policies',
    `INSERT INTO tag_policies (kind, pattern, first, tags, excepted, created_at) SELECT 'immutable', 'org' || g || '/**', 'org' || g, '["r*"]', '[]', 0
     FROM generate_series(1, ${repositories}) g`,
  ],
  [
    'use of repositories',
    `INSERT INTO usage_deltas (repository, bytes, tags, repositories) SELECT r.name, n * 1000000, 0, 1
     FROM (SELECT repo_id, count(*) AS n FROM repo_blobs GROUP BY repo_id) c JOIN repositories r ON r.id = c.repo_id`,
  ],
  [
    'due blobs',
    `INSERT INTO gc_queue (kind, key, review_after) SELECT 'blob', id::text, CASE WHEN id <= ${DUE} THEN 1 ELSE 9e15 END FROM blobs`,
  ],
  [
    'due objects',
    `INSERT INTO gc_queue (kind, key, review_after) SELECT 'object', md5(g::text), CASE WHEN g <= ${DUE} THEN 1 ELSE 9e15 END FROM generate_series(1, ${BLOBS}) g`,
  ],
]

/** What rows would take one by one, indexes take from a full table in a fraction of the time. */
async function withoutIndexes(client: pg.Client, work: () => Promise<void>): Promise<void> {
  const tables = ['manifest_blobs', 'repo_blobs', 'tag_history', 'audit', 'gc_queue']
  const { rows: keys } = await client.query(
    `SELECT conrelid::regclass::text AS "table", conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
     WHERE conrelid = ANY($1::text[]::regclass[]) AND contype IN ('p', 'u')`,
    [tables],
  )
  const { rows: indexes } = await client.query(
    'SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE tablename = ANY($1) AND NOT indexname = ANY($2)',
    [tables, keys.map(({ name }) => name)],
  )
  for (const { table, name } of keys) await client.query(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`)
  for (const { name } of indexes) await client.query(`DROP INDEX ${name}`)
  await work()
  for (const { table, name, definition } of keys) {
    await told(client, name, `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`)
  }
  for (const { name, definition } of indexes) await told(client, name, definition)
}

async function told(client: pg.Client, what: string, sql: string): Promise<void> {
  const began = performance.now()
  const { rowCount } = await client.query(sql)
  const rows = rowCount ? `${rowCount} rows, ` : ''
  console.log(`${what}: ${rows}${((performance.now() - began) / 1000).toFixed(1)} s`)
}

let pushes = 0

/** One of a layer that is there, with a tag. */
function pushed(blob: Digest): NewManifest {
  const bytes = Buffer.from(`{"number":${pushes++}}`)
  const digest = digestOfBytes(bytes)
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const descriptor = { mediaType, digest, size: bytes.length }
  const blobs = [{ digest: blob, size: 1_000_000, optional: false }]
  return { ...{ digest, mediaType, bytes, descriptor, blobs, children: [] }, tags: ['pushed'], actor: 'user:ann' }
}

interface Asked {
  sql: string
  values: SqlValue[]
}

/** The same database, which notes each statement the first time that it is asked. */
function noting(database: SqlDatabase, asked: Map<string, Asked>): SqlDatabase {
  const noted = (sql: Sql): Sql => {
    const noting = <T>(act: (text: string, ...values: SqlValue[]) => Promise<T>) => {
      return (text: string, ...values: SqlValue[]) => {
        if (!asked.has(text)) asked.set(text, { sql: text, values })
        return act(text, ...values)
      }
    }
    return { all: noting(sql.all.bind(sql)), get: noting(sql.get.bind(sql)), run: noting(sql.run.bind(sql)) }
  }
  return {
    ...noted(database),
    transaction: (work, options) =>
      database.transaction((sql) => work({ ...noted(sql), lock: sql.lock } satisfies Transaction), options),
    close: () => database.close(),
  }
}

type Question = [what: string, ask: (meta: MetaStore) => Promise<unknown>, times?: number]

function questionsOf(sample: Record<'repository' | 'tag' | 'manifest' | 'blob' | 'subject', string>): Question[] {
  const { repository, tag, manifest, blob, subject } = sample
  const first = 'org1/repo1'
  const page = { limit: 100, bytes: 4_000_000 }
  const within = Array.from({ length: 20 }, (_, number) => `org${number}/**`)
  return [
    ['manifest by tag', (meta) => meta.findManifest(repository, { tag })],
    ['manifest by digest', (meta) => meta.findManifest(repository, { digest: manifest as Digest })],
    ['blob', (meta) => meta.findBlob(repository, blob as Digest)],
    ['push of a manifest', (meta) => meta.putManifest(repository, pushed(blob as Digest))],
    ['what is public about a repository', (meta) => meta.publicPatterns(repository)],
    ['repositories with a blob', (meta) => meta.repositoriesWith(blob as Digest, 100)],
    ['tags, first page', (meta) => meta.listTags(first, { limit: 100 })],
    [
      'tags, late page',
      (meta) => meta.listTags(first, { limit: 100, last: `t${String(tags! - 200).padStart(7, '0')}` }),
    ],
    ['catalog, first page', (meta) => meta.listRepositories({ limit: 100 })],
    ['catalog, late page', (meta) => meta.listRepositories({ limit: 100, last: 'org998' })],
    ['catalog without a login', (meta) => meta.listRepositories({ limit: 100, within: [], andPublic: true })],
    ['catalog of a user with 20 organisations', (meta) => meta.listRepositories({ limit: 100, within })],
    ['referrers, first page', (meta) => meta.listReferrers(first, subject as Digest, page)],
    ['history of a tag', (meta) => meta.tagHistory(repository, tag, { limit: 100 })],
    ['audit log, newest', (meta) => meta.listAudit({ limit: 100 })],
    ['audit log of one actor', (meta) => meta.listAudit({ limit: 100, actor: 'user:u7' })],
    ['audit log of a target that is rare', (meta) => meta.listAudit({ limit: 100, target: 'org1/repo1:*' })],
    ['audit log, refused', (meta) => meta.listAudit({ limit: 100, outcome: 'refused' })],
    ['objects to delete', (meta) => meta.dueObjects(500)],
    ['manifests without a tag (only when they are to be removed)', (meta) => meta.removeUntagged(9e12), 1],
    [`collection of ${DUE} blobs`, (meta) => meta.condemnBlobs(1000), 1],
  ]
}

const directory = mkdtempSync(join(tmpdir(), 'bale-scale-'))
try {
  await using server = await startPostgres()
  const url = await server.database()
  await configure(url)
  await server.kill()
  await server.start()
  const asked = new Map<string, Asked>()
  const database = noting(await openPostgresDatabase({ url }), asked)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    // What is lost in a crash is filled again.
    await change(client, 'fsync', 'off')
    // Triggers would count and check each row.
    await client.query(
      "SET session_replication_role TO replica; SET maintenance_work_mem TO '1GB'; SET work_mem TO '512MB'",
    )
    await withoutIndexes(client, async () => {
      for (const [what, sql] of FILL) await told(client, what, sql)
    })
    await told(client, 'VACUUM ANALYZE', 'VACUUM ANALYZE')
    const { rows } = await client.query('SELECT pg_size_pretty(pg_database_size(current_database())) AS size')
    console.log(`the database: ${rows[0].size}; its server: ${SETTINGS.join(', ')}`)
    await client.query('RESET session_replication_role; RESET work_mem')
    await change(client, 'fsync', 'on')
    await told(client, 'CHECKPOINT', 'CHECKPOINT')
    console.log(`\n| question | ms | first time, ms | its plans |\n|---|---|---|---|`)
    const meta = createMeta(database)
    for (const [what, ask, times = 9] of questionsOf(await sampleOf(client))) {
      asked.clear()
      const [cold, ...warm] = await timesOf(() => ask(meta), times)
      const faults: string[] = []
      for (const one of asked.values()) faults.push(...(await faultsOf(client, one)))
      const time = (value: number) => value.toFixed(1)
      console.log(
        `| ${what} | ${time(median(warm.length > 0 ? warm : [cold!]))} | ${time(cold!)} | ${faults.join('; ') || 'flat'} |`,
      )
    }
  } finally {
    await client.end()
    await database.close()
  }
  console.log(`\nSQLite, ${tags} tags and ${repositories} repositories:`)
  await timeSqlite()
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function change(client: pg.Client, setting: string, value: string): Promise<void> {
  await client.query(`ALTER SYSTEM SET ${setting} TO ${value}`)
  await client.query('SELECT pg_reload_conf()')
}

/** As docs/scaling.md advises, for a machine that has other things to do as well. */
async function configure(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const setting of SETTINGS) await client.query(`ALTER SYSTEM SET ${setting.replace(' ', ' TO ')}`)
  await client.end()
}

async function timesOf(work: () => Promise<unknown>, times: number): Promise<number[]> {
  const taken: number[] = []
  for (let turn = 0; turn < times; turn++) {
    const began = performance.now()
    await work()
    taken.push(performance.now() - began)
  }
  return taken
}

/** Something from the middle. */
async function sampleOf(client: pg.Client) {
  const { rows } = await client.query(`
    SELECT r.name AS repository, t.name AS tag, m.digest AS manifest, d.digest AS blob,
      (SELECT subject_digest FROM manifests WHERE subject_digest IS NOT NULL LIMIT 1) AS subject
    FROM tags t JOIN repositories r ON r.id = t.repo_id JOIN manifests m ON m.id = t.manifest_id
    JOIN manifest_blobs mb ON mb.manifest_id = m.id JOIN blob_digests d ON d.blob_id = mb.blob_id
    WHERE t.repo_id > 1 AND m.id > ${Math.floor(manifests! / 2)} LIMIT 1`)
  return rows[0] as Record<'repository' | 'tag' | 'manifest' | 'blob' | 'subject', string>
}

/** What would grow with the registry in the plan of a statement, which is undone. */
async function faultsOf(client: pg.Client, { sql, values }: Asked): Promise<string[]> {
  let number = 0
  const text = sql.replaceAll('?', () => `$${++number}`)
  await client.query('BEGIN')
  try {
    const { rows } = await client.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`, values)
    const [{ Plan: plan }] = rows[0]['QUERY PLAN'] as [{ Plan: Plan }]
    if (flags.plans) console.log(`${sql}\n${JSON.stringify(plan, null, 1)}`)
    return planFaults(plan)
  } finally {
    await client.query('ROLLBACK')
  }
}

async function timeSqlite(): Promise<void> {
  const path = join(directory, 'registry.db')
  const meta = openSqliteMeta({ path })
  const file = new DatabaseSync(path)
  const numbers = (count: number) =>
    `WITH RECURSIVE n (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < ${count})`
  file.exec(`
    INSERT INTO repositories (name, created_at) ${numbers(repositories!)} SELECT 'org' || (g % 1000) || '/repo' || g, 0 FROM n;
    INSERT INTO manifests (id, repo_id, digest, media_type, descriptor, body, pushed_at) VALUES (1, 1, 'sha256:x', 'x/y', '{}', x'00', 0);
    INSERT INTO tags (repo_id, name, manifest_id, version, updated_at, updated_by)
      ${numbers(tags!)} SELECT 1, 't' || printf('%07d', g), 1, 1, 0, 'user:ann' FROM n;`)
  file.close()
  for (const [what, ask] of questionsOf({ repository: '', tag: '', manifest: '', blob: '', subject: '' }).filter(
    ([what]) => /^(?:tags|catalog),/.test(what) || what.startsWith('catalog of'),
  )) {
    console.log(`${what}: ${median(await timesOf(() => ask(meta), 9)).toFixed(1)} ms`)
  }
  await meta.close()
}
