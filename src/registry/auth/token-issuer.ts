import { randomUUID } from 'node:crypto'
import type { Clock } from '#base'
import type { MetaStore } from '../meta/index.ts'
import type { Scope } from './access.ts'
import { newSigningKey, readSigningKey, readToken, type SigningKey, signToken } from './jws.ts'

const TOKEN_SECONDS = 300
/** Both the issuer and the audience: this registry talks to itself. */
export const SERVICE = 'bale-registry'
const LEEWAY = 60

export interface TokenIssuer {
  /** `subject` is a user's name, or '' for an anonymous token. */
  issue(subject: string, scopes: Scope[]): Promise<{ token: string; expiresIn: number; issuedAt: string }>
  /** Undefined for anything that we did not issue, or whose time is over. */
  read(token: string): Promise<{ subject: string; scopes: Scope[] } | undefined>
}

/** Tokens of five minutes, signed with a key that is kept in the metadata, so that they outlive a restart. */
export function createTokenIssuer({ meta, clock }: { meta: MetaStore; clock: Clock }): TokenIssuer {
  let loaded: Promise<SigningKey[]> | undefined
  const keys = () => {
    loaded ??= loadKeys(meta, clock)
    return loaded
  }
  return {
    async issue(subject, scopes) {
      const now = Math.floor(clock.now() / 1000)
      const claims = {
        iss: SERVICE,
        aud: SERVICE,
        sub: subject,
        iat: now,
        nbf: now,
        exp: now + TOKEN_SECONDS,
        jti: randomUUID(),
        access: scopes,
      }
      const [key] = await keys()
      return {
        token: signToken(key!, claims),
        expiresIn: TOKEN_SECONDS,
        issuedAt: new Date(now * 1000).toISOString(),
      }
    },
    async read(token) {
      const claims = readToken(await keys(), token)
      if (!claims || claims['iss'] !== SERVICE || claims['aud'] !== SERVICE) return undefined
      const now = clock.now() / 1000
      const { sub, exp, nbf, access } = claims
      if (typeof sub !== 'string' || typeof exp !== 'number' || typeof nbf !== 'number') return undefined
      if (now > exp + LEEWAY || now < nbf - LEEWAY || !Array.isArray(access)) return undefined
      return { subject: sub, scopes: access as Scope[] }
    },
  }
}

async function loadKeys(meta: MetaStore, clock: Clock): Promise<SigningKey[]> {
  const stored = await meta.signingKeys()
  if (stored.length > 0) return stored.map(readSigningKey)
  const key = newSigningKey()
  await meta.addSigningKey({ ...key, created: clock.now() })
  return [readSigningKey(key)]
}
