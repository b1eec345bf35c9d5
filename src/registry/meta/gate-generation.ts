import type { Sql } from './sql.ts'

/** A column of a statement: what `raiseGate` raises. */
export const GATE = '(SELECT number FROM gate_generation) AS gate'

/**
 * Notes that gates may judge otherwise from now on, in the transaction that makes it so: once, and after all that others may be waited
 * for.
 */
export async function raiseGate(sql: Sql): Promise<void> {
  await sql.run('UPDATE gate_generation SET number = number + 1')
}
