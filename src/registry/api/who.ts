import { ownerOf } from '../auth/index.ts'
import type { Administered } from '../decide/index.ts'
import type { Who } from './operation.ts'

export const administrators: Who<unknown> = { words: 'administrators', what: () => 'registry' }
export const everybody: Who<unknown> = {
  words: 'everybody with a login, also with a limited token',
  what: () => 'self',
}

export const OWNERS = 'administrators, owners of the organisation'
export const BELOW = `${OWNERS} or the user below whose name the repositories are`

/** Whoever answers for the name that the thing belongs to: `acme` of `acme/web` and `acme+ci`. `key` is what has the name. */
export const ownersOf = <Key extends string>(key: Key): Who<Record<Key, string>> => ({
  words: `${OWNERS}, or the user whose it is`,
  what: (input) => ({ owner: ownerOrSelf(input[key]) }),
})

export const ownersOfGroup = <Key extends string>(key: Key): Who<Record<Key, string>> => ({
  words: OWNERS,
  what: (input) => ({ owner: ownerOrSelf(input[key]) }),
})

/** Those below whose name all repositories are that a pattern matches; `key` is what has the pattern. */
export const ownersBelow = <Key extends string>(key: Key): Who<Partial<Record<Key, string>>> => ({
  words: BELOW,
  what: (input) => whatOfPattern(input[key]),
})

/** Of a pattern; without one, everything. */
export function whatOfPattern(pattern = '**'): Administered {
  const owner = ownerOfPattern(pattern)
  return owner === undefined ? 'registry' : { owner }
}

/** Everybody, and each sees the own things. */
export const ownersOfListed: Who<unknown> = {
  words: 'everybody with a login: each sees what is their own',
  what: () => 'own',
}

const ownerOrSelf = (name: string) => ownerOf(name) ?? name

/** The user or organisation below whose name all is that a pattern matches, if there is one. */
function ownerOfPattern(pattern: string): string | undefined {
  return /^([^/*]+)\//.exec(pattern)?.[1]
}

/** Whether all that a pattern matches is below one of the names. */
export function isBelow(names: readonly string[] | undefined, pattern: string): boolean {
  return names === undefined || names.includes(ownerOfPattern(pattern) ?? '')
}
