import { fullName, type Reference } from '#spec'
import {
  type CredentialStore,
  createCredentialStore,
  createFetcher,
  type Fetcher,
  openRepository,
  type RemoteOptions,
  type Repository,
} from '#transport'
import type { EngineContext } from './context.ts'

const CERTIFICATE_FOLDERS = ['/etc/containers/certs.d', '/etc/docker/certs.d']

/** A repository as this user may see it: his logins, the machine's certificates, proxies from the environment. */
export function openRegistry(
  context: EngineContext,
  name: Pick<Reference, 'registry' | 'repository'>,
  options: { insecure?: boolean } = {},
): Repository {
  return openRepository(name, {
    ...registryOptions(context, name.registry, options),
    credentials: openCredentials(context),
  })
}

/** What fetches files by URL, with the same proxies and authorities as registries. */
export function openWeb(context: EngineContext): Fetcher {
  return createFetcher({ ...connectionOptions(context), certificateFolders: CERTIFICATE_FOLDERS })
}

export function openCredentials({ config }: EngineContext): CredentialStore {
  const { dockerConfigFile, authFiles, path, environment } = config
  return createCredentialStore({ dockerConfigFile, authFiles, helperPath: path, env: environment })
}

export function registryOptions(
  { config, clock, log }: EngineContext,
  registry: string,
  { insecure = false }: { insecure?: boolean } = {},
): Omit<RemoteOptions, 'credentials'> {
  return {
    ...connectionOptions({ config }),
    clock,
    log,
    insecure: insecure || config.insecureRegistries.includes(registry),
    certificateFolders: CERTIFICATE_FOLDERS,
  }
}

/** What the environment says of all connections. Upper case first: Source: golang.org/x/net/http/httpproxy, FromEnvironment. */
function connectionOptions({ config: { environment } }: Pick<EngineContext, 'config'>) {
  const variable = (name: string) => environment[name] || environment[name.toLowerCase()]
  return {
    proxy: { http: variable('HTTP_PROXY'), https: variable('HTTPS_PROXY'), noProxy: variable('NO_PROXY') },
    authorities: { file: environment['SSL_CERT_FILE'], folders: environment['SSL_CERT_DIR'] },
  }
}

/** `docker.io/library/debian@sha256:…` without the tag: what RepoDigests holds. */
export function withoutTag({ registry, repository, digest }: Reference): string {
  return fullName({ registry, repository, digest })
}
