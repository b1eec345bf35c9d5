import { BaleError, type OperationOptions, printable } from '#base'
import { type FirstAdministrator, makeFirstAdministrator, openRegistryApi, type RegistryApi } from '#transport'
import type { EngineContext } from './context/context.ts'
import { registryOf } from './login.ts'
import { openCredentials, registryOptions } from './registries/open-registry.ts'

/** What a token is asked for, of a registry of bale. */
const SCOPE = 'registry:api:*'

/** The way to a registry's administration, by the login that is kept for it and the settings of a pull from it. */
export async function connectRegistry(context: EngineContext, server: string): Promise<RegistryApi> {
  const { registry, base } = placeOf(server)
  const credentials = openCredentials(context)
  if (!(await credentials.get(registry, undefined))) {
    throw new BaleError('UNAUTHORIZED', `there is no login for ${registry}`, {
      next: { act: 'login', registry, because: 'denied' },
    })
  }
  const { mirrors: _, location: __, ...options } = await registryOptions(context, { registry, repository: '' })
  return openRegistryApi(registry, { ...options, base, credentials, scope: SCOPE })
}

/** Makes the first administrator of a registry, by the settings of a pull from it. */
export async function firstAdministrator(
  context: EngineContext,
  server: string,
  wanted: FirstAdministrator & OperationOptions,
): Promise<void> {
  const { registry, base } = placeOf(server)
  const { mirrors: _, location: __, ...options } = await registryOptions(context, { registry, repository: '' })
  await makeFirstAdministrator(registry, { ...options, ...wanted, base })
}

/** `registry.example:5000`, or a URL that says the scheme. */
function placeOf(server: string): { registry: string; base?: URL } {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(server)) return { registry: registryOf(server) }
  const url = URL.parse(server)
  const isPlain = url && /^https?:$/.test(url.protocol) && url.pathname === '/' && `${url.search}${url.hash}` === ''
  if (isPlain && url.username === '' && url.password === '') {
    return { registry: registryOf(url.host), base: new URL(url.origin) }
  }
  throw new BaleError('INVALID_ARGUMENT', `not the URL of a registry: ${printable(server)}`, {
    hint: 'for example https://registry.example, without a path or login',
  })
}
