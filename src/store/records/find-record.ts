import { BaleError, printable } from '#base'
import type { Rows } from '#store/rows'

/** Full ID, then name, then unique prefix, as docker does. */
export function findByIdOrName<R extends { id: string }>(
  { database }: Rows,
  table: 'containers' | 'networks',
  text: string,
): R | undefined {
  const exact =
    database.get<R>(`SELECT * FROM ${table} WHERE id = ?`, text) ??
    database.get<R>(`SELECT * FROM ${table} WHERE name = ?`, text.replace(/^\//, ''))
  if (exact || !/^[0-9a-f]+$/.test(text)) return exact
  const rows = database.all<R>(`SELECT * FROM ${table} WHERE id >= ?1 AND id < ?1 || 'g'`, text)
  if (rows.length > 1) {
    throw new BaleError('AMBIGUOUS_ID', `the ID ${printable(text)} fits ${rows.length} ${table}`, {
      hint: 'give more digits',
      details: { ids: rows.map((row) => row.id) },
    })
  }
  return rows[0]
}
