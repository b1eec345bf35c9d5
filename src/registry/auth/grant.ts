import { BaleError, printable } from '#base'
import { ROLES, type Role } from '../decide/index.ts'
import type { AccountKind } from '../meta/index.ts'
import { checkPattern } from '../pattern/index.ts'
import { ownerOf } from './account-name.ts'

/** INVALID_ARGUMENT for what such an account cannot be given: nobody gives rights in others' repositories by way of a group or robot. */
export function checkGrant(kind: AccountKind, name: string, pattern: string, role: Role): void {
  checkPattern(pattern)
  checkRole(role)
  const owner = ownerOf(name) ?? name
  if (kind === 'user' || pattern.startsWith(`${owner}/`)) return
  throw new BaleError('INVALID_ARGUMENT', `${name} can have rights below ${owner}/ alone, not in ${pattern}`, {
    hint: `for example ${owner}/web or ${owner}/**`,
  })
}

/** INVALID_ARGUMENT for what is no role. */
export function checkRole(role: string): void {
  if ((ROLES as readonly string[]).includes(role)) return
  throw new BaleError('INVALID_ARGUMENT', `not a role: ${printable(role, 40)}`, {
    hint: 'roles are read, write, delete and admin',
  })
}
