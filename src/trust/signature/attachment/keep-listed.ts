/** A list that is one document: writing it replaces all that others wrote. */
interface SharedList<T> {
  read(): Promise<readonly T[]>
  write(all: readonly T[]): Promise<void>
  isSame(one: T, other: T): boolean
}

/** Others are not likely to write the same list more often in the same second. */
const TRIES = 5

/**
 * Adds an entry to a list that others may be writing at this moment. Registries cannot refuse a write that is based on an old list, so
 * the list is read again after each write, and written again when the own entry, or one that was seen there before, is
 * missing. False when others still change it after five writes. A writer that has finished can lose its entry to one that
 * read the list before and writes after.
 */
export async function keepListed<T>({ read, write, isSame }: SharedList<T>, added: T): Promise<boolean> {
  let wanted: readonly T[] = [added]
  for (let writes = 0; ; writes++) {
    const there = await read()
    const missing = wanted.filter((one) => !there.some((other) => isSame(one, other)))
    if (missing.length === 0) return true
    if (writes === TRIES) return false
    wanted = [...there, ...missing]
    await write(wanted)
  }
}
