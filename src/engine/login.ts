import { BaleError, type OperationOptions, printable } from '#base'
import {
  type Credential,
  checkLogin,
  type DevicePrompt,
  type Erased,
  fixedCredential,
  loginByDevice,
  normalizeKey,
  type StoredIn,
} from '#transport'
import type { EngineContext } from './context/context.ts'
import { AUTH_VARIABLE, openCredentials, registryOptions } from './registries/open-registry.ts'

/** The login to try. */
export interface LoginOptions extends OperationOptions {
  username: string
  password: string
}

/** How a person is told what to do. */
export interface DeviceLoginOptions extends OperationOptions {
  /** Called once, before the wait begins. */
  show: (prompt: DevicePrompt) => void | Promise<void>
}

/** A login that a registry accepted, and where it is stored. */
export interface Login {
  /** Host of the registry; `docker.io` for Docker Hub. */
  registry: string
  storedIn: StoredIn
  /** A variable of the environment whose logins take precedence over stored ones. */
  variable?: string
}

/** The result of removing a login. */
export interface Logout extends Erased {
  /** Host of the registry. */
  registry: string
  /** A variable of the environment that still holds logins. */
  variable?: string
}

/** Tries the login at the registry, and stores it where docker does. UNAUTHORIZED leaves everything unchanged. */
export async function login(context: EngineContext, server: string | undefined, options: LoginOptions): Promise<Login> {
  const registry = registryOf(server)
  const { username, password, signal } = options
  if (username === '' || username.includes(':')) {
    throw new BaleError('INVALID_ARGUMENT', 'a user name must not be empty or contain a colon')
  }
  const credential: Credential = { kind: 'password', username, password }
  const { identityToken } = await verify(context, registry, credential, signal)
  // A revocable token is stored rather than the password.
  const kept: Credential = identityToken ? { kind: 'identity-token', username, token: identityToken } : credential
  return { registry, storedIn: await openCredentials(context).store(registry, kept), ...authVariable(context) }
}

/** Has a person let this program in with a browser, and stores what the registry gives for it. UNAUTHORIZED leaves everything unchanged. */
export async function deviceLogin(
  context: EngineContext,
  server: string | undefined,
  { show, signal }: DeviceLoginOptions,
): Promise<Login & { username: string }> {
  const registry = registryOf(server)
  const { mirrors: _, location: __, ...options } = await registryOptions(context, { registry, repository: '' })
  const { username, token } = await loginByDevice(registry, { ...options, show, signal })
  const storedIn = await openCredentials(context).store(registry, { kind: 'identity-token', username, token })
  return { registry, username, storedIn, ...authVariable(context) }
}

/** Tries the login that is stored for a registry; undefined when there is none. Throws UNAUTHORIZED when it is refused. */
export async function checkStoredLogin(
  context: EngineContext,
  server: string | undefined,
  { signal }: OperationOptions = {},
): Promise<{ registry: string } | undefined> {
  const registry = registryOf(server)
  const credential = await openCredentials(context).get(registry, undefined)
  if (!credential) return undefined
  await verify(context, registry, credential, signal)
  return { registry }
}

/** Removes the login for a registry; `known` is false when there was none. */
export async function logout(context: EngineContext, server: string | undefined): Promise<Logout> {
  const registry = registryOf(server)
  return { registry, ...(await openCredentials(context).erase(registry)), ...authVariable(context) }
}

function authVariable({ config }: EngineContext): { variable?: string } {
  return config.environment[AUTH_VARIABLE] ? { variable: AUTH_VARIABLE } : {}
}

async function verify(context: EngineContext, registry: string, credential: Credential, signal?: AbortSignal) {
  const { mirrors: _, location: __, ...options } = await registryOptions(context, { registry, repository: '' })
  return checkLogin(registry, {
    ...options,
    credentials: fixedCredential(registry, credential),
    signal,
  })
}

/** People type addresses as they know them: `https://r.example/v2/`, `r.example/team` are r.example, as docker takes them. */
export function registryOf(server: string | undefined): string {
  if (server === undefined || server === '') return 'docker.io'
  const registry = normalizeKey(server).replace(/\/.*$/s, '')
  if (/^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/.test(registry)) return registry
  throw new BaleError('INVALID_ARGUMENT', `not the address of a registry: ${printable(server)}`, {
    hint: 'a registry is HOST or HOST:PORT',
  })
}
