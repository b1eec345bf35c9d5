import type { OperationOptions } from '#base'
import { isRepository } from '#spec'
import { listNames } from './pages.ts'
import type { RemoteOptions } from './repository.ts'
import { createSession } from './session.ts'

/**
 * All repositories that a registry shows to a login, each once. Many show none to those who do not administer them. UNAUTHORIZED,
 * DENIED or MANIFEST_NOT_FOUND then. Source: distribution's `GET /v2/_catalog`, which the specification leaves out.
 */
export async function* listRepositories(
  registry: string,
  { location, signal, ...options }: Omit<RemoteOptions, 'mirrors'> & OperationOptions,
): AsyncGenerator<string> {
  await using session = createSession(location?.registry ?? registry, undefined, { ...options, base: location?.base })
  yield* listNames(session, {
    first: '/v2/_catalog?n=1000',
    scopes: ['registry:catalog:*'],
    member: 'repositories',
    what: `repositories of ${session.registry.name}`,
    isName: isRepository,
    signal,
  })
}
