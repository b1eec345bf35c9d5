import assert from 'node:assert/strict'
import type { Answer, Exchange } from './exchange.ts'

/** Credentials are `name:password`. With `token` they are shown to the token endpoint only. */
export type Login = 'anonymous' | { basic: string } | { token: string }

/** How a client gets in. Requests with the same `purpose` need the same rights. */
export interface Authorization {
  /** The Authorization header to begin with. */
  header(purpose: string): string | undefined
  /** Takes an answer of 401. True when it got what that asks for, so that the request is worth another try. */
  satisfy(purpose: string, answer: Answer): Promise<boolean>
}

export function authorizationOf(login: Login, exchange: Exchange): Authorization {
  if (login === 'anonymous') return constant(undefined)
  if ('basic' in login) return constant(basic(login.basic))
  return withTokens(login.token, exchange)
}

function constant(header: string | undefined): Authorization {
  return { header: () => header, satisfy: async () => false }
}

/**
 * Asks for a token with the scope of a challenge, and for another one when a request of the same purpose is challenged
 * again: the token is over, or a mount reads a second repository.
 */
function withTokens(credentials: string, exchange: Exchange): Authorization {
  const tokens = new Map<string, string>()
  return {
    header(purpose) {
      const token = tokens.get(purpose)
      return token && `Bearer ${token}`
    },
    async satisfy(purpose, answer) {
      const headers = { Authorization: basic(credentials) }
      tokens.set(purpose, tokenIn(await exchange('GET', tokenUrl(answer), { headers })))
      return true
    },
  }
}

/** Source: distribution's token specification. Each scope of a challenge is a parameter of its own. */
function tokenUrl({ request, headers }: Answer): URL {
  const challenge = headers['www-authenticate'] ?? ''
  assert.match(challenge, /^bearer /i, `${request}: the challenge is for no token`)
  const parts = new Map([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value!]))
  const url = new URL(parts.get('realm') ?? '')
  url.searchParams.set('service', parts.get('service') ?? '')
  for (const scope of parts.get('scope')?.split(' ') ?? []) url.searchParams.append('scope', scope)
  return url
}

function tokenIn({ request, status, body }: Answer): string {
  assert.equal(status, 200, `${request}: ${body}`)
  const { token, access_token } = JSON.parse(body.toString()) as { token?: string; access_token?: string }
  const found = token ?? access_token
  assert.ok(found, `${request}: there is no token in the answer`)
  return found
}

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}
