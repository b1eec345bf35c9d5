import { BaleError, printable } from '#base'
import type { AccountKind } from '../meta/index.ts'

const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const NAMES: Record<AccountKind, RegExp> = {
  user: new RegExp(`^${PART}$`),
  organisation: new RegExp(`^${PART}$`),
  team: new RegExp(`^${PART}/${PART}$`),
  robot: new RegExp(`^${PART}\\+${PART}$`),
}
const LONGEST = 64

const PLAIN = 'a name has at most 64 lower-case letters and digits, with single . _ or - between them'
const HINTS: Record<AccountKind, string> = {
  user: PLAIN,
  organisation: PLAIN,
  team: 'a team is named with its organisation: acme/web',
  robot: 'a robot is named with the organisation or user that it belongs to: acme+ci',
}

/** Whether a user can have it. */
export const isUserName = (name: string): boolean => NAMES.user.test(name) && name.length <= LONGEST

/** INVALID_ARGUMENT for what cannot be the name of such an account. */
export function checkName(kind: AccountKind, name: string): void {
  const parts = name.split(/[/+]/)
  if (NAMES[kind].test(name) && parts.every(({ length }) => length <= LONGEST)) return
  const article = kind === 'organisation' ? 'an' : 'a'
  throw new BaleError('INVALID_ARGUMENT', `not the name of ${article} ${kind}: ${printable(name, 150)}`, {
    hint: HINTS[kind],
  })
}

/** The account that a team or robot belongs to; undefined for others. */
export function ownerOf(name: string): string | undefined {
  return /^(.+)[/+]/.exec(name)?.[1]
}

/** Whether histories can name somebody so: `user:ann`, `robot:acme+ci`. */
export function isAccountActor(actor: string): boolean {
  const [, kind, name = ''] = /^(user|robot):(.+)$/.exec(actor) ?? []
  if (kind === undefined) return false
  return NAMES[kind as 'user' | 'robot'].test(name) && name.split('+').every(({ length }) => length <= LONGEST)
}
