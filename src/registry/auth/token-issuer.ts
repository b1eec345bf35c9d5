import { randomUUID } from 'node:crypto'
import type { Clock } from '#base'
import type { Scope } from '../decide/index.ts'
import { readToken, signToken } from './jws.ts'
import type { SigningKeys } from './signing-keys.ts'

const TOKEN_SECONDS = 300
/** Both the issuer and the audience: this registry talks to itself. */
export const SERVICE = 'bale-registry'
const LEEWAY = 60

/** Whom a token is for: an account by ID, as long as the password or access token is there that it was issued for. */
interface Subject {
  id: string
  generation: number
  /** ID of the access token. */
  accessToken?: string
}

export interface TokenIssuer {
  /** Without a subject the token is for anonymous callers. */
  issue(
    subject: Subject | undefined,
    scopes: Scope[],
    /** Five minutes by default. */
    seconds?: number,
  ): Promise<{ token: string; expiresIn: number; issuedAt: string }>
  /** Undefined for anything that we did not issue, or whose time is over. */
  read(token: string): Promise<{ subject: Subject | undefined; scopes: Scope[] } | undefined>
}

/** Tokens outlive a restart and are the same for all replicas. */
export function createTokenIssuer({ keys, clock }: { keys: SigningKeys; clock: Clock }): TokenIssuer {
  const verified = createVerified()
  return {
    async issue(subject, scopes, seconds = TOKEN_SECONDS) {
      const now = Math.floor(clock.now() / 1000)
      const claims = {
        iss: SERVICE,
        aud: SERVICE,
        sub: subject
          ? [subject.id, subject.generation, subject.accessToken].filter((part) => part !== undefined).join('.')
          : '',
        iat: now,
        nbf: now,
        exp: now + seconds,
        jti: randomUUID(),
        access: scopes,
      }
      return {
        token: signToken(await keys.current(), claims),
        expiresIn: seconds,
        issuedAt: new Date(now * 1000).toISOString(),
      }
    },
    async read(token) {
      const claims = verified.get(token) ?? (await readToken(keys.find, token))
      if (!claims) return undefined
      verified.add(token, claims)
      if (claims['iss'] !== SERVICE || claims['aud'] !== SERVICE) return undefined
      const now = clock.now() / 1000
      const { sub, exp, nbf, access } = claims
      if (typeof sub !== 'string' || typeof exp !== 'number' || typeof nbf !== 'number') return undefined
      if (now > exp + LEEWAY || now < nbf - LEEWAY || !Array.isArray(access)) return undefined
      const subject = readSubject(sub)
      return subject === 'wrong' ? undefined : { subject, scopes: access as Scope[] }
    },
  }
}

/** Up to bale 0.1 the subject was a name, which may be another user's by now. */
function readSubject(text: string): Subject | undefined | 'wrong' {
  if (text === '') return undefined
  const match = /^([0-9a-f]{32})\.(\d{1,15})(?:\.([0-9a-f]{32}))?$/.exec(text)
  return match ? { id: match[1]!, generation: Number(match[2]), accessToken: match[3] } : 'wrong'
}

/** A header has at most 16 KiB: at the very worst 32 MB. */
const REMEMBERED = 2000

/**
 * Tokens whose signature was right, with their claims, which the caller judges at each request. A client shows one token
 * many times, and to verify it takes longer than all else of a small answer. The oldest are forgotten.
 */
function createVerified() {
  const tokens = new Map<string, Record<string, unknown>>()
  return {
    get: (token: string) => tokens.get(token),
    add(token: string, claims: Record<string, unknown>): void {
      tokens.set(token, claims)
      const oldest = tokens.keys().next()
      if (tokens.size > REMEMBERED && !oldest.done) tokens.delete(oldest.value)
    },
  }
}
