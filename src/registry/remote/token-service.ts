/** What says which token services a registry may have. */
export interface TokenServiceRule {
  url: URL
  /** The host that is configured. */
  tokenService: string | undefined
  insecure: boolean
}

/**
 * Whether a login may be sent to a token service that the registry names: at the host that is configured, else at the
 * registry's own host, one below it or one that it is below. So another registry, or whoever can change its answers, cannot have
 * the login sent elsewhere (A14).
 */
export function isTokenServiceOf({ url, tokenService, insecure }: TokenServiceRule, realm: URL): boolean {
  const named = tokenService ?? (isHubHost(url.host) ? 'auth.docker.io' : undefined)
  if (url.protocol === 'https:' && realm.protocol !== 'https:' && !insecure) return false
  if (named !== undefined) return realm.host === named
  const [own, its] = [url.hostname, realm.hostname]
  return own === its || isBelow(its, own) || isBelow(own, its)
}

/** `auth.example.org` is below `example.org`; nothing is below a top-level domain. */
function isBelow(host: string, domain: string): boolean {
  return domain.includes('.') && host.endsWith(`.${domain}`)
}

const HUB_HOSTS = new Set(['registry-1.docker.io', 'index.docker.io', 'docker.io'])

/** Docker Hub has names of its own for many things. */
export const isHubHost = (host: string): boolean => HUB_HOSTS.has(host)
