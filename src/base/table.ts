/**
 * A table that is asked by words from outside. It has what it was given and nothing that every object inherits: `constructor`
 * and `__proto__` are in no table.
 */
export function table<T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.freeze(Object.assign(Object.create(null) as Record<string, T>, entries))
}
