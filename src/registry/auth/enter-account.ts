import { BaleError } from '#base'
import type { Account, MetaStore } from '../meta/index.ts'
import { checkName } from './account-name.ts'
import type { Identity } from './login-source.ts'

/** Where people come from who have no password here: a directory, or a provider that says who they are. */
interface Origin {
  /** What its accounts are marked with. */
  origin: string
  /** Organisations and teams of which it decides who of its people is in them. */
  ruled: readonly string[]
  /** Its people keep their accounts when they have other names there. */
  renames?: boolean
}

/** Gives somebody who is known there the account of that name, made if there is none, as their origin wants it now. */
type EnterAccount = (by: MetaStore, name: string, identity: Identity) => Promise<Account>

/**
 * CONFLICT when the name is another account's or that of repositories, INVALID_ARGUMENT when it cannot be a user's; what
 * the rules name and is not there is told to the operator.
 */
export function createEnterAccount(
  { origin, ruled, renames = false }: Origin,
  report: (failure: unknown, what: string) => void,
): EnterAccount {
  return async (by, name, identity) => {
    checkName('user', name)
    const entered = await by.enterAccount({ name, origin, ruled, renames, ...identity })
    if ('taken' in entered) throw nameTaken(name, origin, entered.taken)
    for (const group of entered.missing) report(noGroup(group, origin), `the login of ${name}`)
    return entered.account
  }
}

function nameTaken(name: string, origin: string, taken: string): BaleError {
  const what = taken === name ? 'another account has the name' : `${taken} is there already`
  return new BaleError('CONFLICT', `${name} of ${origin} gets no account: ${what}`)
}

function noGroup(group: string, origin: string): BaleError {
  return new BaleError('CONFLICT', `${origin} has members for ${group}, but there is no such organisation or team`)
}
