import type { GroupMeta, MemberRole } from './account-meta.ts'
import { type By, recordChange } from './audit.ts'
import { type Sql, type SqlDatabase, type Transaction, text } from './sql.ts'

/** Organisations and teams: who is in them. */
export function groupMeta(database: SqlDatabase, by: By): GroupMeta {
  return {
    async setMember(group, name, role) {
      return await database.transaction(async (sql) => {
        return await changeMember(sql, by, { group, name, role })
      })
    },

    async listMembers(group) {
      if (!(await isGroup(database, group))) return undefined
      const rows = await database.all(
        'SELECT member_name, role FROM members WHERE group_name = ? ORDER BY member_name',
        group,
      )
      return rows.map((row) => ({ name: text(row['member_name']), role: text(row['role']) as MemberRole }))
    },

    async memberships(name) {
      const rows = await database.all(
        'SELECT group_name, role FROM members WHERE member_name = ? ORDER BY group_name',
        name,
      )
      return rows.map((row) => ({ group: text(row['group_name']), role: text(row['role']) as MemberRole }))
    },
  }
}

/** A member's row, and the change on record. */
export async function changeMember(
  sql: Transaction,
  by: By,
  { group, name, role }: { group: string; name: string; role: MemberRole | undefined },
): Promise<'set' | { missing: string }> {
  if (!(await isGroup(sql, group, sql.lock('KEY SHARE')))) return { missing: group }
  if (role === undefined) {
    if (!(await removeMember(sql, group, name))) return { missing: name }
    await recordChange(sql, by, { action: 'member.remove', target: group, detail: name })
    return 'set'
  }
  if (!(await mayJoin(sql, group, name))) return { missing: name }
  await sql.run(
    `INSERT INTO members (group_name, member_name, role) VALUES (?, ?, ?)
     ON CONFLICT (member_name, group_name) DO UPDATE SET role = excluded.role`,
    ...[group, name, role],
  )
  await recordChange(sql, by, { action: 'member.set', target: group, detail: `${name}=${role}` })
  return 'set'
}

async function isGroup(sql: Sql, name: string, lock = ''): Promise<boolean> {
  const found = await sql.get(`SELECT 1 FROM users WHERE name = ? AND kind IN ('organisation', 'team') ${lock}`, name)
  return found !== undefined
}

/** Everybody may join an organisation; its members and robots may join its teams. */
async function mayJoin(sql: Transaction, group: string, name: string): Promise<boolean> {
  const slash = group.indexOf('/')
  if (slash < 0) {
    const user = await sql.get(`SELECT 1 FROM users WHERE name = ? AND kind = 'user' ${sql.lock('KEY SHARE')}`, name)
    return user !== undefined
  }
  const organisation = group.slice(0, slash)
  const lock = sql.lock('KEY SHARE')
  const found = name.startsWith(`${organisation}+`)
    ? await sql.get(`SELECT 1 FROM users WHERE name = ? AND kind = 'robot' ${lock}`, name)
    : await sql.get(`SELECT 1 FROM members WHERE member_name = ? AND group_name = ? ${lock}`, name, organisation)
  return found !== undefined
}

/** From the teams of an organisation, too. */
async function removeMember(sql: Transaction, group: string, name: string): Promise<boolean> {
  const removed = await sql.run('DELETE FROM members WHERE group_name = ? AND member_name = ?', group, name)
  if (removed === 0) return false
  // `0` is the character after `/`. No team has teams.
  const teams = [`${group}/`, `${group}0`]
  await sql.run('DELETE FROM members WHERE member_name = ? AND group_name > ? AND group_name < ?', name, ...teams)
  return true
}
