import { type SqlDatabase, text } from './sql.ts'

/** Requests that were counted under one name in one part of the time. */
export interface RequestCount {
  name: string
  part: number
  count: number
  /** How long counts of this name are of interest, in milliseconds. */
  within: number
}

/** Requests that the processes of a registry count together. */
export interface RequestCountMeta {
  /** Adds these, and returns all that is known under their names. To be called with many at once. */
  addRequestCounts(counts: readonly RequestCount[]): Promise<Omit<RequestCount, 'within'>[]>
}

/** Both databases have `json_each` for the members of an object and `->>` for the items of a list. */
export function requestCountMeta(database: SqlDatabase): RequestCountMeta {
  return {
    async addRequestCounts(counts) {
      const added = Object.fromEntries(
        counts.map(({ name, part, count, within }, at) => [at, [name, part, count, within]]),
      )
      const names = Object.fromEntries(counts.map(({ name }) => [name, 0]))
      return await database.transaction(
        async (sql) => {
          // In the order of their names, so that two who add at once wait for each other and not in a circle. A part is
          // of interest until its end is a whole period ago.
          await sql.run(
            `INSERT INTO request_counts (name, part, count, expires_at)
             SELECT e.value ->> 0, CAST(e.value ->> 1 AS bigint), CAST(e.value ->> 2 AS bigint), now_ms() + 2 * CAST(e.value ->> 3 AS bigint)
             FROM json_each(?) e WHERE true ORDER BY 1, 2
             ON CONFLICT (name, part) DO UPDATE SET count = request_counts.count + excluded.count`,
            JSON.stringify(added),
          )
          const rows = await sql.all(
            `SELECT c.name, c.part, c.count FROM json_each(?) e JOIN request_counts c ON c.name = e.key
             WHERE c.expires_at >= now_ms()`,
            JSON.stringify(names),
          )
          return rows.map((row) => ({
            name: text(row['name']),
            part: Number(row['part']),
            count: Number(row['count']),
          }))
        },
        { durable: false },
      )
    },
  }
}
