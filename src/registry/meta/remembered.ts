import type { SqlDatabase } from './sql.ts'

const MOST = 1000

/**
 * Reads what is asked for again and again, and changes seldom: what was read is given again until anything in the database
 * changed, whoever changed it. Where looking for that costs as much as reading, it reads each time. Nobody may change what it gives.
 */
export function remembered<T>(
  { version }: SqlDatabase,
  read: (key: string) => Promise<T>,
): (key: string) => Promise<T> {
  if (!version) return read
  const known = new Map<string, T>()
  let of: number | undefined
  return async (key) => {
    const before = version()
    if (before !== of || known.size >= MOST) known.clear()
    of = before
    const found = known.get(key)
    if (found !== undefined) return found
    const value = await read(key)
    // What is known may be that of a later version by now; this value belongs to the one it was read from.
    if (version() === before) known.set(key, value)
    return value
  }
}
