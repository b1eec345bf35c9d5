import { randomBytes } from 'node:crypto'

const KEY = /^[0-9a-f]{32}$/

export function isKey(text: string): boolean {
  return KEY.test(text)
}

/** The key itself. TypeError for what the registry did not make, so that it never becomes part of a path. */
export function checkedKey(key: string): string {
  if (!KEY.test(key)) throw new TypeError('not a key of an object')
  return key
}

export function randomKey(): string {
  return randomBytes(16).toString('hex')
}
