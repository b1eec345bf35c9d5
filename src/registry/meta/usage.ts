import type { Usage } from '../decide/index.ts'
import { boundsOf } from '../pattern/index.ts'
import { type Sql, type SqlDatabase, type SqlRow, type Transaction, text } from './sql.ts'

export interface UsageMeta {
  /** Of a repository, of all below a name (`acme/**`), or of all (`**`), up to this moment. */
  usage(scope: string): Promise<Usage>
  /** Adds changes to the totals, so that few are added up at each push. Returns how many. */
  foldUsage(): Promise<number>
  /**
   * Counts everything again, while others change it. Returns the repositories whose use was another one; with
   * `repair` it is right from then on.
   */
  recountUsage(options?: { repair?: boolean }): Promise<string[]>
}

export function usageMeta(database: SqlDatabase): UsageMeta {
  return {
    usage: (scope) => usageOf(database, scope),

    async foldUsage() {
      if (!(await database.get('SELECT 1 FROM usage_deltas LIMIT 1'))) return 0
      let folded = 0
      for (let more = true; more; ) {
        // What a power cut undoes is folded again.
        const found = await database.transaction(foldSome, { durable: false })
        folded += found
        more = found === BATCH
      }
      return folded
    },

    async recountUsage({ repair = false } = {}) {
      const wrong: string[] = []
      for (let last = '', more = true; more; ) {
        const names = await database.all(
          'SELECT name FROM repositories WHERE name > ? ORDER BY name LIMIT ?',
          last,
          PAGE,
        )
        more = names.length === PAGE
        const to = more ? text(names.at(-1)!['name']) : '\u{10ffff}'
        const range = Array.from({ length: 6 }, () => [last, to]).flat()
        const found = repair
          ? await database.transaction((sql) => sql.all(MEND, ...range))
          : await database.all(DRIFT, ...range)
        wrong.push(...found.map((row) => text(row['repository'])))
        last = to
      }
      return wrong
    },
  }
}

/** What a repository counts for, from the smallest scope on. */
export function scopesOf(repository: string): string[] {
  const above: string[] = []
  for (let slash = repository.lastIndexOf('/'); slash > 0; slash = repository.lastIndexOf('/', slash - 1)) {
    above.push(`${repository.slice(0, slash)}/**`)
  }
  return [repository, ...above, '**']
}

/** One statement, so that no change is seen twice or not at all while others fold. */
const USAGE = `
  WITH d AS (SELECT coalesce(sum(bytes), 0) AS bytes, coalesce(sum(tags), 0) AS tags, coalesce(sum(repositories), 0) AS repositories
    FROM usage_deltas WHERE repository >= ? AND repository < ?),
  u AS (SELECT coalesce(sum(CASE WHEN reserved > "offset" THEN reserved ELSE "offset" END), 0) AS bytes
    FROM uploads WHERE done IS NULL AND repository >= ? AND repository < ?)
  SELECT d.bytes + u.bytes + coalesce(t.bytes, 0) AS bytes, d.tags + coalesce(t.tags, 0) AS tags,
    d.repositories + coalesce(t.repositories, 0) AS repositories
  FROM d CROSS JOIN u LEFT JOIN usage_totals t ON t.scope = ?`

export async function usageOf(sql: Sql, scope: string): Promise<Usage> {
  const { from, to } = boundsOf(scope)
  const row = await sql.get(USAGE, from, to, from, to, scope)
  return countsOf(row!)
}

const BATCH = 1000

/** Those that another process folds at the same time are left to it. */
async function foldSome(sql: Transaction): Promise<number> {
  const gone = await sql.all(
    `DELETE FROM usage_deltas WHERE id IN (SELECT id FROM usage_deltas ORDER BY id LIMIT ${BATCH}
     ${sql.lock('UPDATE', { skipLocked: true })}) RETURNING repository, bytes, tags, repositories`,
  )
  const sums = new Map<string, Usage>()
  for (const row of gone) {
    for (const scope of scopesOf(text(row['repository']))) {
      sums.set(scope, plus(sums.get(scope), countsOf(row)))
    }
  }
  // In the order of their names, so that two who fold wait for each other and not in a circle.
  for (const [scope, { bytes, tags, repositories }] of [...sums].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (bytes === 0 && tags === 0 && repositories === 0) continue
    await sql.run(ADD, scope, bytes, tags, repositories)
    await sql.run(FORGET, scope)
  }
  return gone.length
}

const ADD = `
  INSERT INTO usage_totals (scope, bytes, tags, repositories) VALUES (?, ?, ?, ?) ON CONFLICT (scope) DO UPDATE SET
    bytes = usage_totals.bytes + excluded.bytes, tags = usage_totals.tags + excluded.tags,
    repositories = usage_totals.repositories + excluded.repositories`

/** Names that are no more leave nothing behind. */
const FORGET = 'DELETE FROM usage_totals WHERE scope = ? AND bytes = 0 AND tags = 0 AND repositories = 0'

const PAGE = 500

/** What must be added to the use of repositories, of those between two names, for it to be what is in them. */
const DRIFT = `
  SELECT name AS repository, sum(bytes) AS bytes, sum(tags) AS tags, sum(repositories) AS repositories FROM (
    SELECT name, 0 AS bytes, 0 AS tags, 1 AS repositories FROM repositories WHERE name > ? AND name <= ?
    UNION ALL SELECT r.name, sum(b.size), 0, 0 FROM repositories r JOIN repo_blobs rb ON rb.repo_id = r.id
      JOIN blobs b ON b.id = rb.blob_id WHERE r.name > ? AND r.name <= ? GROUP BY r.name
    UNION ALL SELECT r.name, sum(length(m.body)), 0, 0 FROM repositories r JOIN manifests m ON m.repo_id = r.id
      WHERE r.name > ? AND r.name <= ? GROUP BY r.name
    UNION ALL SELECT r.name, 0, count(*), 0 FROM repositories r JOIN tags t ON t.repo_id = r.id
      WHERE r.name > ? AND r.name <= ? GROUP BY r.name
    UNION ALL SELECT repository, -sum(bytes), -sum(tags), -sum(repositories) FROM usage_deltas
      WHERE repository > ? AND repository <= ? GROUP BY repository
    UNION ALL SELECT scope, -bytes, -tags, -repositories FROM usage_totals
      WHERE scope > ? AND scope <= ? AND scope NOT LIKE '%*'
  ) AS counted GROUP BY name HAVING sum(bytes) <> 0 OR sum(tags) <> 0 OR sum(repositories) <> 0`

/** One statement: what others change meanwhile is in both or in neither. */
const MEND = `INSERT INTO usage_deltas (repository, bytes, tags, repositories) ${DRIFT} RETURNING repository`

function countsOf(row: SqlRow): Usage {
  return { bytes: Number(row['bytes']), tags: Number(row['tags']), repositories: Number(row['repositories']) }
}

export const plus = (one: Usage | undefined, other: Usage): Usage => ({
  bytes: (one?.bytes ?? 0) + other.bytes,
  tags: (one?.tags ?? 0) + other.tags,
  repositories: (one?.repositories ?? 0) + other.repositories,
})
