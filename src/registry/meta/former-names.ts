import { BaleError } from '#base'
import type { Sql } from './sql.ts'

/** Throws REPOSITORY_MOVED when nothing may come into being under the name. */
export async function refuseFormerName(sql: Sql, name: string): Promise<void> {
  const row = await sql.get('SELECT 1 FROM repository_redirects WHERE name = ? AND redirect_until > now_ms()', name)
  if (row) throw repositoryMoved(name)
}

export function repositoryMoved(name: string): BaleError {
  return new BaleError('REPOSITORY_MOVED', `repository ${name} was renamed; nothing is pushed under its former name`, {
    details: { repository: name },
  })
}
