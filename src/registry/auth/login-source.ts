import type { MemberRole } from '../meta/index.ts'

/** Somebody whom a directory knows, and what it says of them. */
export interface Identity {
  /** What it knows this person by, and nobody else, ever; undefined where it has nothing of the kind. */
  subject?: string
  /** An administrator of the registry; undefined where the directory does not say so of anybody. */
  admin?: boolean
  /** Organisations and teams of the registry that this person is in. */
  groups: readonly { name: string; role: MemberRole }[]
}

/** A job of a CI service, which is let in for what that says of it. */
export interface Workload {
  /** The account that it logs in as. */
  robot: string
  /** Who it is there, for the audit log. */
  name: string
  /** How long it may go on with what it gets for its token. Milliseconds. */
  lifetime: number
}

/** Knows workloads by the tokens of those who run them. */
export interface WorkloadSource {
  /** Undefined for a token that nothing is given for. UNAVAILABLE when that cannot be told now. */
  verify(token: string): Promise<Workload | undefined>
}

/**
 * A directory of people outside of the registry, who log in with their passwords there. Their accounts come into being at their
 * first login. UNAVAILABLE when it does not answer.
 */
export interface LoginSource {
  /** What its accounts are marked with: `ldap`. */
  readonly origin: string
  /** How long its answers count, in milliseconds: so long, somebody who was removed there may still log in here. */
  readonly rememberFor: number
  /** Organisations and teams of which it decides who of its people is in them. */
  readonly ruled: readonly string[]
  /** The name fits the grammar of users, and the password is not empty. */
  verify(name: string, password: string): Promise<Identity | 'refused'>
  /** Whether somebody who logged in before is still there. */
  find(name: string): Promise<Identity | 'absent'>
}
