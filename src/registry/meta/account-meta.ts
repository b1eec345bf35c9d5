import type { Grant, Role } from '../decide/index.ts'

/**
 * Whatever can have rights, under names that are unique together. Users (`ann`) have a password and the repositories below
 * their name; organisations (`acme`) have the repositories below theirs, and members; teams (`acme/web`) have members of
 * their organisation; robots (`acme+ci`, `ann+ci`) belong to an organisation or a user and have access tokens alone.
 */
export type AccountKind = 'user' | 'organisation' | 'team' | 'robot'

export interface Account {
  /** Never given to another account, also not to a later one of the same name. */
  id: string
  kind: AccountKind
  name: string
  /** Counts changes of the password. */
  generation: number
  /** Of users. */
  passwordHash?: string
  /** Of users who log in by a directory and have no password here: which one. */
  origin?: string
  admin: boolean
  grants: Grant[]
}

interface NewAccount {
  kind: AccountKind
  name: string
  /** Of teams and robots: the account that they belong to, and go with. */
  owner?: string
  passwordHash?: string
  admin?: boolean
  adopt?: boolean
  /** Of organisations: the user who is its first member, and owns it. */
  firstOwner?: string
  grants?: readonly Grant[]
  /** Of robots: the first. */
  token?: NewAccessToken
}

/** An access token to be made; `hash` is of its secret, `lifetime` in milliseconds. */
export type NewAccessToken = Pick<AccessToken, 'id' | 'label' | 'role' | 'pattern'> & {
  hash: string
  lifetime?: number
}

/** Which of many accounts: those after the name `last`, at most `limit`; all by default. */
export interface AccountPage {
  last?: string
  limit?: number
}

export interface AccountMeta {
  /** With all it may do now: its own grants, those of its groups, and everything below an organisation that it owns. */
  findAccount(by: { name: string } | { id: string }): Promise<Account | undefined>
  /**
   * In order of their names, each with its own grants. Of `owner`: the account itself, or what belongs to it.
   */
  listAccounts(kind: AccountKind, page?: AccountPage & { owner?: string }): Promise<Account[]>
  /**
   * With its first owner, grants and token, or not at all. `taken` is the name of an account or, unless `adopt`, of repositories or patterns of grants below the name: whoever
   * has the name has rights there. `missing` names an owner, or a first owner, that does not exist.
   */
  addAccount(account: NewAccount): Promise<'added' | { taken: string } | { missing: string }>
  /** Its teams and robots go with it. An organisation with repositories stays: `needed` is one of them. */
  removeAccount(name: string, kind: AccountKind): Promise<'removed' | 'absent' | { needed: string }>
  /** Ends its refresh tokens. False when there is no such user with a password. */
  setPassword(name: string, passwordHash: string): Promise<boolean>
  /** False when there is no such user. */
  setAdmin(name: string, admin: boolean): Promise<boolean>
  /** Without a role, takes the grant away. False when there is no such account, or nothing to take. */
  setGrant(name: string, pattern: string, role: Role | undefined): Promise<boolean>
  /**
   * Patterns of repositories that everybody may pull from, also without a login: all, or those that may match a repository, which
   * cost the same however many there are.
   */
  publicPatterns(repository?: string): Promise<string[]>
  /** False when it was so before. */
  setPublic(pattern: string, isPublic: boolean): Promise<boolean>
}

/** Owners of an organisation may do everything below its name. Teams have members alone. */
export type MemberRole = 'owner' | 'member'

/** Of an organisation or team. */
export interface Member {
  name: string
  role: MemberRole
}

export interface GroupMeta {
  /**
   * Adds, changes or (without a role) removes a member of an organisation or team. Members of a team must be members of its
   * organisation or be robots of it; who leaves the organisation leaves its teams. `missing` names what there is not.
   */
  setMember(group: string, name: string, role: MemberRole | undefined): Promise<'set' | { missing: string }>
  /** Undefined when there is no such group. */
  listMembers(group: string): Promise<Member[] | undefined>
  /** The organisations and teams that an account is in, by their names. */
  memberships(name: string): Promise<Membership[]>
}

/** An organisation or team, and what somebody is in it. */
interface Membership {
  group: string
  role: MemberRole
}

/** A secret in place of a password, with an end and perhaps fewer rights. It is stored as a hash. */
export interface AccessToken {
  id: string
  /** Unique among those of its account. */
  label: string
  /** It gives no more than this, where the account itself may do it. */
  role: Role
  pattern: string
  /** Milliseconds since 1970. */
  createdAt: number
  expiresAt?: number
  /** To the hour. */
  usedAt?: number
}

export interface AccessTokenMeta {
  /** `missing` when there is no such user or robot. */
  addAccessToken(account: string, token: NewAccessToken): Promise<'added' | 'taken' | 'missing'>
  /** One whose time is not over, with its account as `findAccount` gives it; notes that it was used. */
  useAccessToken(by: { hash: string } | { id: string }): Promise<{ token: AccessToken; account: Account } | undefined>
  /** Those whose time is over as well, in order of their labels. Undefined when there is no such user or robot. */
  listAccessTokens(account: string): Promise<AccessToken[] | undefined>
  removeAccessToken(account: string, label: string): Promise<boolean>
}
