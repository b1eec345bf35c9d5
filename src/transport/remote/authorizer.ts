import { BaleError, createSingleFlight, isBaleError } from '#base'
import type { Credential } from '#transport/credentials'
import type { AuthorizerOptions } from './authorizer-options.ts'
import type { Challenge } from './challenge.ts'
import { isLoopback, isPrivateAddress, type RegistryHost } from './registry-host.ts'
import { fetchToken, type Token } from './token.ts'

/** Holds the Authorization headers for one registry. */
export interface Authorizer {
  /** An identity token that came with a token, where `offlineAccess` asked for one. */
  identityToken(): string | undefined
  /** Why no login was used although there may be one: a helper or a file that failed. */
  failure(): BaleError | undefined
  /** The header for a request with these scopes, undefined until the registry requests one. */
  header(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined>
  /**
   * A header that answers the challenges of a 401, or undefined when there is nothing better than `refused`, the
   * header that was sent. Scopes are the caller's own: what a registry proposes in its challenge is never asked for.
   */
  answer(
    challenges: Challenge[],
    scopes: readonly string[],
    refused: string | undefined,
    signal?: AbortSignal,
  ): Promise<string | undefined>
}

type Scheme = { kind: 'basic' } | { kind: 'bearer'; realm: URL; service: string | undefined }

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { registry, base, repository, credentials, clock } = options
  const tokens = new Map<string, Token>()
  const flight = createSingleFlight<string, Token>()
  let scheme: Scheme | undefined
  let asked: Promise<Credential | undefined> | undefined

  let failed: BaleError | undefined
  let identityToken: string | undefined

  /** A login that cannot be read is no reason against what is open to all: the registry decides. */
  const readCredential = async (): Promise<Credential | undefined> => {
    try {
      return await credentials.get(registry.name, repository)
    } catch (error) {
      if (!isBaleError(error, 'CREDENTIALS_FAILED')) throw error
      failed = error
      options.log?.warn?.(`${error.message}; continuing without a login for ${registry.name}`)
      return undefined
    }
  }
  const credential = async (): Promise<Credential | undefined> => {
    asked ??= readCredential()
    const found = await asked
    if (found && !options.insecure) refusePlainHttp(base, registry)
    return found
  }

  const bearer = async (
    { realm, service }: Extract<Scheme, { kind: 'bearer' }>,
    scopes: readonly string[],
    signal?: AbortSignal,
  ): Promise<string> => {
    const key = scopes.join(' ')
    const cached = tokens.get(key)
    if (cached && clock.now() < cached.expires) return `Bearer ${cached.value}`
    const known = await credential()
    if (known?.kind === 'registry-token') return `Bearer ${known.token}`
    const token = await flight(key, () => fetchToken({ ...options, realm, service, scopes, credential: known, signal }))
    tokens.set(key, token)
    identityToken ??= token.refresh
    return `Bearer ${token.value}`
  }

  const header: Authorizer['header'] = async (scopes, signal) => {
    if (scheme === undefined) return undefined
    if (scheme.kind === 'bearer') return bearer(scheme, scopes, signal)
    const known = await credential()
    return known?.kind === 'password' ? basicHeader(known) : undefined
  }

  return {
    header,
    identityToken: () => identityToken,
    failure: () => failed,
    async answer(challenges, scopes, refused, signal) {
      const chosen = await chooseScheme(challenges, options)
      if (!chosen) return undefined
      if (scheme?.kind === 'bearer' && chosen.kind === 'bearer' && scheme.realm.origin !== chosen.realm.origin) {
        throw new BaleError('UNAUTHORIZED', `${registry.name} changed its token service to ${chosen.realm.host}`)
      }
      scheme = chosen
      // A token may have been withdrawn before its time: the next one counts.
      const key = scopes.join(' ')
      if (refused !== undefined && refused === `Bearer ${tokens.get(key)?.value}`) tokens.delete(key)
      const fresh = await header(scopes, signal)
      return fresh === refused ? undefined : fresh
    },
  }
}

function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`
}

/** Bearer wins over Basic; schemes that are not known here are passed over. */
async function chooseScheme(challenges: Challenge[], options: AuthorizerOptions): Promise<Scheme | undefined> {
  const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters['realm'] !== undefined)
  if (bearer) {
    const realm = await checkRealm(bearer.parameters['realm']!, options)
    return { kind: 'bearer', realm, service: bearer.parameters['service'] }
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { kind: 'basic' } : undefined
}

/**
 * A password goes to the token service that the registry names, so the name is checked: https, or plain http where
 * both are on this machine, or where the registry itself was reached by plain http on the same host or is marked as
 * insecure; an address of a private network only from a registry that is in one itself, by its address or its name.
 */
async function checkRealm(
  text: string,
  { base, registry, insecure, isTokenService, lookup }: AuthorizerOptions,
): Promise<URL> {
  const refuse = (reason: string) =>
    new BaleError('UNAUTHORIZED', `${registry.name} names a token service that is not acceptable: ${reason}`, {
      hint: 'the registry is badly configured, or something between you and it changes its answers',
    })
  const realm = URL.canParse(text, base.href) ? new URL(text, base) : undefined
  if (!realm || realm.username || realm.password) throw refuse('not a web address')
  if (isTokenService && !isTokenService(realm)) throw refuse(`${realm.host} is not one that it may have`)
  if (realm.protocol === 'http:') {
    const local = isLoopback(realm.hostname) && registry.loopback
    if (!local && !insecure && !(base.protocol === 'http:' && realm.hostname === base.hostname)) {
      throw refuse(`${realm.host} by plain http`)
    }
  } else if (realm.protocol !== 'https:') throw refuse(`an address of the kind ${realm.protocol}`)
  if (realm.hostname === base.hostname || !isPrivateAddress(realm.hostname)) return realm
  if (!(await isPrivateHost(base.hostname, lookup ?? addressesOf))) {
    throw refuse(`${realm.host} is an address of a private network`)
  }
  return realm
}

async function isPrivateHost(hostname: string, lookup: NonNullable<AuthorizerOptions['lookup']>): Promise<boolean> {
  if (isPrivateAddress(hostname)) return true
  const addresses = await lookup(hostname)
  return addresses.length > 0 && addresses.every((one) => isPrivateAddress(one.includes(':') ? `[${one}]` : one))
}

/** None for a name that only a proxy knows. */
async function addressesOf(hostname: string): Promise<string[]> {
  const { lookup } = await import('node:dns/promises')
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address)
  } catch (error) {
    if ((error as { syscall?: string }).syscall !== 'getaddrinfo') throw error
    return []
  }
}

/** Passwords and tokens go over https, or stay on this machine, unless configuration says otherwise. */
function refusePlainHttp(base: URL, registry: RegistryHost): void {
  if (base.protocol === 'https:' || registry.loopback) return
  throw new BaleError('UNAUTHORIZED', `${registry.name} requires a login over plain http, where anyone can read it`, {
    hint: 'give the registry a certificate, or name it in insecureRegistries of config.json if you trust the network up to it',
  })
}
