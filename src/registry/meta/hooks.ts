import { type By, recordChange } from './audit.ts'
import { type SqlDatabase, type SqlRow, text } from './sql.ts'

/** Who is told of what. */
export interface Hook {
  /** No later hook of the same name has it. */
  id: string
  name: string
  url: string
  /** Repositories; `**` also for what concerns none. */
  pattern: string
  /** Actions, or patterns of them: `tag.*`. */
  events: string[]
  /** False: what happens is not for it, and what waits goes on waiting. */
  active: boolean
  /** Milliseconds since 1970. */
  createdAt: number
}

/** Hooks, whose secrets come and go sealed. */
export interface HookMeta {
  /** By their names. */
  listHooks(): Promise<Hook[]>
  /** False when there is one with the name. */
  addHook(hook: Pick<Hook, 'id' | 'name' | 'url' | 'pattern' | 'events'> & { secret: string }): Promise<boolean>
  /** With its deliveries. False when there is none. */
  removeHook(name: string): Promise<boolean>
  /** False when there is none. */
  setHookActive(name: string, active: boolean): Promise<boolean>
}

export function hookMeta(database: SqlDatabase, by: By): HookMeta {
  return {
    async listHooks() {
      return (await database.all('SELECT * FROM hooks ORDER BY name')).map(hookOf)
    },

    async addHook({ id, name, url, pattern, events, secret }) {
      return await database.transaction(async (sql) => {
        const added = await sql.run(
          `INSERT INTO hooks (id, name, url, pattern, events, secret, active, created_at)
           VALUES (?, ?, ?, ?, ?, ?, 1, now_ms()) ON CONFLICT (name) DO NOTHING`,
          ...[id, name, url, pattern, JSON.stringify(events), secret],
        )
        if (added === 0) return false
        // The URL is a secret of some services.
        await recordChange(sql, by, { action: 'hook.add', target: name, detail: `${pattern}: ${events.join(' ')}` })
        return true
      })
    },

    async removeHook(name) {
      return await database.transaction(async (sql) => {
        if ((await sql.run('DELETE FROM hooks WHERE name = ?', name)) === 0) return false
        await recordChange(sql, by, { action: 'hook.remove', target: name })
        return true
      })
    },

    async setHookActive(name, active) {
      return await database.transaction(async (sql) => {
        const found = await sql.get(`SELECT active FROM hooks WHERE name = ? ${sql.lock('UPDATE')}`, name)
        if (!found) return false
        if ((Number(found['active']) === 1) === active) return true
        await sql.run('UPDATE hooks SET active = ? WHERE name = ?', active ? 1 : 0, name)
        await recordChange(sql, by, { action: active ? 'hook.enable' : 'hook.disable', target: name })
        return true
      })
    },
  }
}

function hookOf(row: SqlRow): Hook {
  return {
    id: text(row['id']),
    name: text(row['name']),
    url: text(row['url']),
    pattern: text(row['pattern']),
    events: JSON.parse(text(row['events'])) as string[],
    active: Number(row['active']) === 1,
    createdAt: Number(row['created_at']),
  }
}
