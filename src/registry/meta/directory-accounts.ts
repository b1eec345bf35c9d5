import type { Account, MemberRole } from './account-meta.ts'
import { insertAccount } from './accounts.ts'
import { type By, recordChange } from './audit.ts'
import { findAccount } from './find-account.ts'
import { changeMember } from './groups.ts'
import { OutOfDate, optionalText, type SqlDatabase, type SqlRow, type Transaction, text } from './sql.ts'

/** What a directory says about somebody whom it knows. */
export interface DirectoryEntry {
  name: string
  /** Which directory. */
  origin: string
  /** What it knows this person by, and nobody else, ever. */
  subject?: string
  /** Somebody who has another name there by now keeps the account, and with it the name here. It needs a subject. */
  renames?: boolean
  /** Whether this is an administrator of the registry; undefined where the directory does not say so of anybody. */
  admin?: boolean
  /** Organisations and teams that this person is in. */
  groups: readonly { name: string; role: MemberRole }[]
  /** Those of which the directory decides who is in them: of others nothing is changed. */
  ruled: readonly string[]
}

export interface DirectoryMeta {
  /**
   * The account of somebody who has logged in by a directory, made if there is none, with what the directory says.
   * `missing` are groups that are not there. `taken`: the name is another account's, or that of repositories.
   */
  enterAccount(entry: DirectoryEntry): Promise<{ account: Account; missing: string[] } | { taken: string }>
}

/** Accounts that come from a directory. */
export function directoryMeta(database: SqlDatabase, by: By): DirectoryMeta {
  return {
    async enterAccount(given) {
      return await database.transaction(async (sql) => {
        const entry = { ...given, name: await nameHere(sql, given) }
        const { name } = entry
        const row = await sql.get(`SELECT * FROM users WHERE name = ? ${sql.lock('UPDATE')}`, name)
        const taken = row ? isAnother(row, entry) && { taken: name } : await enterNew(sql, by, entry)
        if (taken) return taken
        if (row) await follow(sql, by, entry, row)
        const missing = await followGroups(sql, by, entry)
        return { account: (await findAccount(sql, 'name = ?', name))!, missing }
      })
    },
  }
}

async function nameHere(sql: Transaction, { name, origin, subject, renames = false }: DirectoryEntry): Promise<string> {
  if (!renames || subject === undefined) return name
  const find = 'SELECT name FROM users WHERE origin = ? AND subject = ? ORDER BY created_at, name LIMIT 1'
  const row = await sql.get(find, origin, subject)
  return row ? text(row['name']) : name
}

async function enterNew(sql: Transaction, by: By, entry: DirectoryEntry): Promise<{ taken: string } | undefined> {
  const { name, origin, subject, admin = false } = entry
  const outcome = await insertAccount(sql, by, { kind: 'user', name, origin, subject, admin })
  if (outcome === 'added') return undefined
  // It was not there a moment ago: another login of the same person has made it meanwhile, or somebody else has.
  if (outcome.taken === name) throw new OutOfDate('the account was made meanwhile')
  return outcome
}

/** A user with a password here is never taken over, and neither is one of somebody who had the name before. */
function isAnother(row: SqlRow, { origin, subject }: DirectoryEntry): boolean {
  const known = optionalText(row['subject'])
  if (text(row['kind']) !== 'user' || text(row['origin']) !== origin) return true
  return known !== undefined && subject !== undefined && known !== subject
}

async function follow(sql: Transaction, by: By, { name, admin, subject }: DirectoryEntry, row: SqlRow): Promise<void> {
  if (subject !== undefined && row['subject'] === null) {
    await sql.run('UPDATE users SET subject = ? WHERE name = ?', subject, name)
  }
  if (admin === undefined || admin === (Number(row['admin']) === 1)) return
  await sql.run('UPDATE users SET admin = ? WHERE name = ?', admin ? 1 : 0, name)
  await recordChange(sql, by, { action: 'user.admin', target: name, detail: admin ? 'yes' : 'no' })
}

/** Organisations come before their teams: only their members may be in those. Returns the groups that are not there. */
async function followGroups(sql: Transaction, by: By, { name, groups, ruled }: DirectoryEntry): Promise<string[]> {
  const rows = await sql.all('SELECT group_name, role FROM members WHERE member_name = ?', name)
  const present = new Map(rows.map((row) => [text(row['group_name']), text(row['role'])]))
  const wanted = new Map(groups.map((group) => [group.name, group.role]))
  for (const group of ruled.toSorted()) {
    if (!present.has(group) || wanted.has(group)) continue
    // Gone already with the organisation, if this is a team of it.
    await changeMember(sql, by, { group, name, role: undefined })
  }
  const missing: string[] = []
  for (const [group, role] of [...wanted].sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (present.get(group) === role) continue
    if ((await changeMember(sql, by, { group, name, role })) !== 'set') missing.push(group)
  }
  return missing
}
