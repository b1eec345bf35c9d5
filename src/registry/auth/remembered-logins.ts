import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '#base'
import type { Account } from '../meta/index.ts'

const MOST_REMEMBERED = 1000
const FAMILIAR = 10_000

/** Users and the addresses they logged in from; the oldest are dropped. */
export function createFamiliar() {
  const pairs = new Set<string>()
  const key = (name: string, address: string) => `${name}\0${address}`
  return {
    has: (name: string, address: string) => pairs.has(key(name, address)),
    add(name: string, address: string): void {
      const pair = key(name, address)
      pairs.delete(pair)
      pairs.add(pair)
      const oldest = pairs.keys().next()
      if (pairs.size > FAMILIAR && !oldest.done) pairs.delete(oldest.value)
    },
  }
}

/**
 * Remembers right passwords for some minutes, so that clients that show theirs with each request do not cost a hash
 * each time. Kept as keyed hashes over account, password and the stored hash: a changed password is forgotten with it.
 */
export function createMemory(clock: Clock) {
  const key = randomBytes(32)
  const entries = new Map<string, { mark: Buffer; until: number }>()
  const markOf = (account: Account, password: string) =>
    createHmac('sha256', key)
      .update(JSON.stringify([account.id, account.generation, account.passwordHash, account.origin, password]))
      .digest()
  return {
    knows(account: Account, password: string): boolean {
      const entry = entries.get(account.name)
      return entry !== undefined && entry.until > clock.now() && timingSafeEqual(entry.mark, markOf(account, password))
    },
    add(account: Account, password: string, milliseconds: number): void {
      if (entries.size >= MOST_REMEMBERED) entries.clear()
      entries.set(account.name, { mark: markOf(account, password), until: clock.now() + milliseconds })
    },
  }
}
