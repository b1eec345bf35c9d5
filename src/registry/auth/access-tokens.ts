import { randomBytes } from 'node:crypto'
import { BaleError, printable } from '#base'
import type { Role } from '../decide/index.ts'
import type { AccessToken, MetaStore, NewAccessToken } from '../meta/index.ts'
import { checkPattern } from '../pattern/index.ts'
import { checkRole } from './grant.ts'
import { hashOf, newSecret } from './secret-code.ts'

/** What every secret begins with, so that scanners of code find one that was published. */
const MARK = 'bale_'
const SECRET = /^bale_[A-Za-z0-9_-]{43}$/

/** What a new access token may do, and how long. */
export interface AccessTokenOptions {
  /** It may do no more than this, and no more than its account. `admin` by default. */
  role?: Role
  /** Only in repositories that fit it. All by default. */
  pattern?: string
  /** Milliseconds; without an end by default. */
  lifetime?: number
}

/** Secrets that stand for an account where a password is asked for. */
export interface AccessTokens {
  /** Returns the secret, which is kept nowhere. CONFLICT when the account has a token with this label. */
  add(account: string, label: string, options?: AccessTokenOptions): Promise<string>
  list(account: string): Promise<AccessToken[]>
  /** What was issued for it ends at once. */
  remove(account: string, label: string): Promise<void>
}

export function createAccessTokens(meta: MetaStore): AccessTokens {
  return {
    async add(account, label, options) {
      const { secret, token } = newToken(label, options)
      const added = await meta.addAccessToken(account, token)
      if (added === 'added') return secret
      if (added === 'missing') throw noHolder(account)
      throw new BaleError('CONFLICT', `${printable(account, 120)} has a token ${label} already`, {
        hint: 'a new label, or remove the old token first',
      })
    },
    async list(account) {
      const tokens = await meta.listAccessTokens(account)
      if (!tokens) throw noHolder(account)
      return tokens
    },
    async remove(account, label) {
      if (await meta.removeAccessToken(account, label)) return
      throw new BaleError('NOT_FOUND', `${printable(account, 120)} has no token ${printable(label, 80)}`)
    },
  }
}

/** A token to be added, and its secret. INVALID_ARGUMENT for what it cannot be called or give. */
export function newToken(
  label: string,
  { role = 'admin', pattern = '**', lifetime }: AccessTokenOptions = {},
): { secret: string; token: NewAccessToken } {
  checkLabel(label)
  checkRole(role)
  checkPattern(pattern)
  const secret = MARK + newSecret()
  const id = randomBytes(16).toString('hex')
  return { secret, token: { id, label, role, pattern, lifetime, hash: hashOfSecret(secret)! } }
}

/**
 * What is stored of a secret; undefined for what cannot be one. A plain hash is enough, since it has 256 random bits: to
 * guess one is hopeless however fast the hash is.
 */
export function hashOfSecret(secret: string): string | undefined {
  return SECRET.test(secret) ? hashOf(secret) : undefined
}

function checkLabel(label: string): void {
  if (/^[A-Za-z0-9](?:[A-Za-z0-9._ -]{0,62}[A-Za-z0-9])?$/.test(label)) return
  throw new BaleError('INVALID_ARGUMENT', `not a label of a token: ${printable(label, 80)}`, {
    hint: 'at most 64 letters, digits, blanks and . _ -',
  })
}

function noHolder(account: string): BaleError {
  return new BaleError('NOT_FOUND', `there is no user or robot ${printable(account, 120)}`)
}
