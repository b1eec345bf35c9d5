import { firstPart } from '../pattern/index.ts'
import { type By, recordChange, recordContentChange } from './audit.ts'
import { raiseGate } from './gate-generation.ts'
import { moveImageStates } from './image-states.ts'
import { queueReplication } from './queue-replication.ts'
import { judgeQuotas } from './quotas.ts'
import { type SqlDatabase, type Transaction, text } from './sql.ts'
import { forgetUpload } from './steps.ts'
import { scopesOf } from './usage.ts'

/** A former name that is still answered. */
export interface Redirect {
  name: string
  /** What the repository is called now. */
  to: string
  /** Milliseconds since 1970. */
  until: number
}

export interface RenameMeta {
  /**
   * Gives a repository another name, with its tags, history, and whatever names exactly it: policies, quotas, rights, what is public.
   * For `redirect` milliseconds nothing comes into being under the old one (REPOSITORY_MOVED). Uploads that are under way end. `taken`
   * when there is a repository, or another's redirect, of the new name. QUOTA_EXCEEDED when there is no room for it.
   */
  renameRepository(from: string, to: string, options: { redirect: number }): Promise<'renamed' | 'absent' | 'taken'>
  /** What a repository that had the name is called now. */
  findRedirect(name: string): Promise<string | undefined>
  listRedirects(): Promise<Redirect[]>
  /** False when there is none. */
  endRedirect(name: string): Promise<boolean>
}

const LIVE = `FROM repository_redirects d JOIN repositories r ON r.id = d.repo_id WHERE d.redirect_until > now_ms()`

export function renameMeta(database: SqlDatabase, by: By): RenameMeta {
  return {
    async renameRepository(from, to, { redirect }) {
      return await database.transaction(async (sql) => {
        const id = await lockRepository(sql, from)
        if (id === undefined) return 'absent'
        if (await isTaken(sql, to, id)) return 'taken'
        await sql.run('DELETE FROM repository_redirects WHERE name = ?', to)
        await sql.run('UPDATE repositories SET name = ? WHERE id = ?', to, id)
        if (redirect > 0) await setRedirect(sql, { name: from, id, redirect })
        await moveWhatNames(sql, from, to)
        for (const row of await sql.all('SELECT id FROM uploads WHERE repository = ? AND done IS NULL', from)) {
          await forgetUpload(sql, text(row['id']))
        }
        await recordContentChange(sql, by, { action: 'repository.rename', repository: from, detail: to })
        await queueReplication(sql, { repository: to, reference: '', gone: false })
        await raiseGate(sql)
        await moveUsage(sql, id, { from, to })
        return 'renamed'
      })
    },

    async findRedirect(name) {
      const row = await database.get(`SELECT r.name ${LIVE} AND d.name = ?`, name)
      return row && text(row['name'])
    },

    async listRedirects() {
      const rows = await database.all(`SELECT d.name, r.name AS target, d.redirect_until ${LIVE} ORDER BY d.name`)
      return rows.map((row) => ({
        name: text(row['name']),
        to: text(row['target']),
        until: Number(row['redirect_until']),
      }))
    },

    async endRedirect(name) {
      return await database.transaction(async (sql) => {
        if ((await sql.run('DELETE FROM repository_redirects WHERE name = ?', name)) === 0) return false
        await recordChange(sql, by, { action: 'redirect.end', target: name })
        return true
      })
    },
  }
}

/** With all that is in it: others add and remove nothing until the transaction ends, so that what it uses can be moved. */
async function lockRepository(sql: Transaction, name: string): Promise<number | undefined> {
  const lock = sql.lock('UPDATE')
  const row = await sql.get(`SELECT id FROM repositories WHERE name = ? ${lock}`, name)
  if (!row) return undefined
  const id = Number(row['id'])
  await sql.all(`SELECT blob_id FROM repo_blobs WHERE repo_id = ? ORDER BY blob_id ${lock}`, id)
  await sql.all(`SELECT id FROM manifests WHERE repo_id = ? ORDER BY id ${lock}`, id)
  await sql.all(`SELECT name FROM tags WHERE repo_id = ? ORDER BY name ${lock}`, id)
  return id
}

/** Its own former name is free for a repository that is to have it again. */
async function isTaken(sql: Transaction, name: string, id: number): Promise<boolean> {
  const row = await sql.get(
    `SELECT 1 FROM repositories WHERE name = ?
     UNION ALL SELECT 1 FROM repository_redirects WHERE name = ? AND repo_id <> ? AND redirect_until > now_ms() LIMIT 1`,
    ...[name, name, id],
  )
  return row !== undefined
}

async function setRedirect(
  sql: Transaction,
  { name, id, redirect }: { name: string; id: number; redirect: number },
): Promise<void> {
  await sql.run(
    `INSERT INTO repository_redirects (name, repo_id, redirect_until) VALUES (?, ?, now_ms() + ?)
     ON CONFLICT (name) DO UPDATE SET repo_id = excluded.repo_id, redirect_until = excluded.redirect_until`,
    ...[name, id, redirect],
  )
}

/** Groups and robots have no rights outside of their organisation: theirs stay behind when the repository leaves it. */
async function moveWhatNames(sql: Transaction, from: string, to: string): Promise<void> {
  await sql.run('UPDATE tag_policies SET pattern = ?, first = ? WHERE pattern = ?', to, firstPart(to), from)
  await sql.run('UPDATE exceptions SET pattern = ?, first = ? WHERE pattern = ?', to, firstPart(to), from)
  await moveImageStates(sql, from, to)
  await sql.run('UPDATE access_tokens SET pattern = ? WHERE pattern = ?', to, from)
  const copy = (table: string, columns: string, key: string) =>
    `INSERT INTO ${table} (${columns}, ${key}) SELECT ${columns}, CAST(? AS TEXT) FROM ${table} WHERE ${key} = ?`
  await sql.run(
    `INSERT INTO public_patterns (pattern, first) SELECT CAST(? AS TEXT), CAST(? AS TEXT) FROM public_patterns WHERE pattern = ?
     ON CONFLICT (pattern) DO NOTHING`,
    ...[to, firstPart(to), from],
  )
  await sql.run('DELETE FROM public_patterns WHERE pattern = ?', from)
  await sql.run(`${copy('quotas', 'bytes, tags, repositories', 'scope')} ON CONFLICT (scope) DO NOTHING`, to, from)
  await sql.run('DELETE FROM quotas WHERE scope = ?', from)
  const movable = ownerOf(from) === ownerOf(to) ? '' : `AND user_name IN (SELECT name FROM users WHERE kind = 'user')`
  await sql.run(
    `${copy('grants', 'user_name, role', 'pattern')} ${movable} ON CONFLICT (user_name, pattern) DO NOTHING`,
    ...[to, from],
  )
  await sql.run(`DELETE FROM grants WHERE pattern = ? ${movable}`, from)
}

const ownerOf = (repository: string) => repository.split('/')[0]

const USED = `
  SELECT (SELECT coalesce(sum(b.size), 0) FROM repo_blobs rb JOIN blobs b ON b.id = rb.blob_id WHERE rb.repo_id = r.id)
    + (SELECT coalesce(sum(length(m.body)), 0) FROM manifests m WHERE m.repo_id = r.id) AS bytes,
    (SELECT count(*) FROM tags t WHERE t.repo_id = r.id) AS tags FROM repositories r WHERE r.id = ?`

async function moveUsage(sql: Transaction, id: number, { from, to }: { from: string; to: string }): Promise<void> {
  const row = await sql.get(USED, id)
  const [bytes, tags] = [Number(row?.['bytes']), Number(row?.['tags'])]
  const add = 'INSERT INTO usage_deltas (repository, bytes, tags, repositories) VALUES (?, ?, ?, ?)'
  await sql.run(add, from, -bytes, -tags, -1)
  await sql.run(add, to, bytes, tags, 1)
  await judgeQuotas(sql, to, { bytes, tags, repositories: 1 }, scopesOf(from))
}
