import { BaleError, printable } from '#base'

/**
 * Typed access to the members of a JSON object from outside. A member that is absent or null is undefined (docker's
 * writers put null for empty); any other type than the expected one is INVALID_MANIFEST, naming the member.
 */
export class Fields {
  readonly #members: Record<string, unknown>
  readonly #path: string

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(path, 'is not an object')
    this.#members = value as Record<string, unknown>
    this.#path = path
  }

  path(name: string): string {
    return `${this.#path}.${name}`
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  get(name: string): unknown {
    return Object.hasOwn(this.#members, name) ? (this.#members[name] ?? undefined) : undefined
  }

  text(name: string): string | undefined {
    const value = this.get(name)
    if (value === undefined || typeof value === 'string') return value
    throw malformed(this.path(name), 'is not a string')
  }

  flag(name: string): boolean | undefined {
    const value = this.get(name)
    if (value === undefined || typeof value === 'boolean') return value
    throw malformed(this.path(name), 'is not true or false')
  }

  /** A whole number from 0 to 2^53-1. */
  count(name: string): number | undefined {
    const value = this.get(name)
    if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0))
      return value as number | undefined
    throw malformed(this.path(name), `is not a whole number from 0 to 2^53-1: ${printable(String(value), 40)}`)
  }

  list(name: string, limit: number): unknown[] | undefined {
    const value = this.get(name)
    if (value === undefined) return undefined
    if (!Array.isArray(value)) throw malformed(this.path(name), 'is not an array')
    if (value.length > limit) {
      throw new BaleError('LIMIT_EXCEEDED', `${this.path(name)} has more than ${limit} entries (${value.length})`)
    }
    return value
  }

  texts(name: string, limit = 100_000): string[] | undefined {
    return this.list(name, limit)?.map((item) => {
      if (typeof item === 'string') return item
      throw malformed(this.path(name), 'contains something other than strings')
    })
  }

  /** An object of strings: labels, annotations. Null values are left out. */
  textMap(name: string): Record<string, string> | undefined {
    const members = this.#entries(name)?.filter(([, value]) => value !== null)
    if (members?.some(([, value]) => typeof value !== 'string')) {
      throw malformed(this.path(name), 'contains something other than strings')
    }
    // fromEntries defines properties, so a key `__proto__` stays a key.
    return members && Object.fromEntries(members as [string, string][])
  }

  /** A set written as an object: volumes, ports. The values mean nothing. */
  keySet(name: string): Record<string, Record<string, never>> | undefined {
    const members = this.#entries(name)
    return members && Object.fromEntries(members.map(([key]) => [key, {}]))
  }

  #entries(name: string): [string, unknown][] | undefined {
    const value = this.get(name)
    return value === undefined ? undefined : Object.entries(new Fields(value, this.path(name)).#members)
  }
}

export function malformed(path: string, reason: string): BaleError {
  return new BaleError('INVALID_MANIFEST', `${path} ${reason}`)
}

/** Leaves undefined members out, so that a written document has no empty ones. */
export function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
