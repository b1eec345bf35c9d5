import type { Upstream } from './upstream-settings.ts'

/**
 * Whether an upstream's login may be sent to a token service that it names: at the host that is configured, else at the
 * upstream's own host, one below it or one that it is below. So an upstream, or whoever can change its answers, cannot have
 * the login sent elsewhere (A14).
 */
export function isTokenServiceOf({ url, tokenService, insecure }: Upstream, realm: URL): boolean {
  if (url.protocol === 'https:' && realm.protocol !== 'https:' && !insecure) return false
  if (tokenService !== undefined) return realm.host === tokenService
  const [own, its] = [url.hostname, realm.hostname]
  return own === its || isBelow(its, own) || isBelow(own, its)
}

/** `auth.example.org` is below `example.org`; nothing is below a top-level domain. */
function isBelow(host: string, domain: string): boolean {
  return domain.includes('.') && host.endsWith(`.${domain}`)
}
