/** Docker Hub's key in credential files and its address for credential helpers, unchanged since its first version. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'

/** What a registry is called in docker's files and by credential helpers. */
export function serverAddress(registry: string): string {
  return registry === 'docker.io' ? DOCKER_HUB_KEY : registry
}

/**
 * A key of a credential file as `host` or `host/path`: keys were written with and without scheme, with `/v1/`, `/v2/`
 * and under each of Docker Hub's host names.
 */
export function normalizeKey(key: string): string {
  const [, written, path] = /^(?:https?:\/\/)?([^/]*)(.*)$/is.exec(key.trim())!
  const host = written!.toLowerCase()
  const rest = path!.replace(/^\/v[12]\/?$/, '').replace(/\/+$/, '')
  return (host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host) + rest
}

/** Keys that fit a repository, most specific first: `r/a/b`, `r/a`, `r`. */
export function fittingKeys(registry: string, repository: string | undefined): string[] {
  const parts = [registry, ...(repository === undefined ? [] : repository.split('/'))]
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'))
}
