/** A provider of OpenID Connect (the package oidc-provider) on loopback, where whoever comes is the person that a test says. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import type { ProviderOptions } from '#registry'

export interface Person {
  preferred_username?: string
  groups?: string[]
}

export interface TestProvider extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string
  readonly clientId: string
  /** Undefined of a public client. */
  readonly clientSecret: string | undefined
  /** Whom it knows, by what tells them from all others. */
  readonly people: Map<string, Person>
  /** Who is at the browser; undefined: somebody who does not want to log in. */
  person: string | undefined
  /** Paths that it was asked for. */
  readonly requests: string[]
  /** Failures of its own. */
  readonly failures: string[]
}

const DAY = 24 * 3_600_000

/** How a registry is told of it. */
export const optionsFor = (
  { url, clientId, clientSecret }: Pick<TestProvider, 'url' | 'clientId' | 'clientSecret'>,
  more: Partial<ProviderOptions> = {},
): ProviderOptions => ({
  ...{ issuer: url, clientId, clientSecret, rules: [] },
  ...{ scopes: ['openid', 'profile', 'groups'], nameClaim: 'preferred_username', groupsClaim: 'groups' },
  ...{ title: 'Example login', validFor: 30 * DAY },
  ...more,
})

export interface ProviderSettings {
  /** Where it sends browsers back to. */
  redirects: readonly string[]
  /** Its client has no secret. */
  isPublic?: boolean
  /** Names and groups are in the token, and need not be asked for. */
  inToken?: boolean
}

export async function startProvider({
  redirects,
  isPublic = false,
  inToken = false,
}: ProviderSettings): Promise<TestProvider> {
  const { Provider } = await import('oidc-provider')
  const clientSecret = isPublic ? undefined : 'a secret: with + and %'
  const state = { person: undefined as string | undefined }
  const people = new Map<string, Person>()
  const requests: string[] = []
  const failures: string[] = []
  let answer: ReturnType<InstanceType<typeof Provider>['callback']> | undefined
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*/, '')
    requests.push(path)
    if (!path.startsWith('/interaction/')) return void answer?.(request, response)
    const { person } = state
    const result = person === undefined ? { error: 'access_denied' } : { login: { accountId: person } }
    provider.interactionFinished(request, response, result).catch((error: unknown) => {
      failures.push(String(error))
      response.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const provider = new Provider(url, {
    clients: [
      {
        ...{ client_id: 'registry', redirect_uris: redirects, response_types: ['code'] },
        grant_types: ['authorization_code'],
        ...(clientSecret === undefined
          ? { token_endpoint_auth_method: 'none' }
          : { client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_basic' }),
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'one' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email'], groups: ['groups'] },
    conformIdTokenClaims: !inToken,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: async () => ({ sub, ...people.get(sub) }),
    }),
    async loadExistingGrant({ oidc }: GrantContext) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId })
      grant.addOIDCScope('openid profile email groups')
      await grant.save()
      return grant
    },
    ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 600, Grant: 600 },
  })
  provider.on('server_error', (_context, error) => failures.push(String(error)))
  answer = provider.callback()
  return {
    ...{ url, clientId: 'registry', clientSecret, people, requests, failures },
    get person() {
      return state.person
    },
    set person(person) {
      state.person = person
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface GrantContext {
  oidc: {
    provider: InstanceType<typeof import('oidc-provider').Provider>
    client: { clientId: string }
    session: { accountId: string }
  }
}
