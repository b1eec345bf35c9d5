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

/** What a browser is sent to a provider with, and what of that comes back or stays here. All of it is random. */
export interface ProviderRequest {
  /** Comes back with the answer. */
  state: string
  /** Is in the token that says who it is. */
  nonce: string
  /** Proves that who brings the code is who asked for it. Source: RFC 7636. */
  verifier: string
  /** Where the browser comes back to. */
  redirectUri: string
}

/** What a browser came back with. */
export interface ProviderAnswer {
  code: string
  /** Source: RFC 9207. */
  issuer: string | undefined
}

/** Somebody as a provider knows them. */
export interface ProvidedIdentity extends Identity {
  /** What it calls them, which may be no name of a user here. */
  name: string
  subject: string
}

/**
 * Says who people are that log in there with their browsers (OpenID Connect). UNAVAILABLE when it does not answer as it should, DENIED when what
 * the browser brought is not from it, or not for this registry and this login.
 */
export interface LoginProvider {
  /** The issuer, which accounts are marked with. */
  readonly origin: string
  /** For pages. */
  readonly title: string
  readonly ruled: readonly string[]
  /** How long what clients keep counts after a login there, whatever they do with it; milliseconds. */
  readonly validFor: number
  /** Where the browser is sent. */
  address(request: ProviderRequest): Promise<URL>
  identify(request: ProviderRequest, answer: ProviderAnswer): Promise<ProvidedIdentity>
}
