import { BaleError, printable } from '#base'
import { isRepository } from '#spec'
import { checkPattern } from '../pattern/index.ts'
import { isHubHost, registryUrl } from '../remote/index.ts'

/** A registry that repositories below a prefix come from. Times are in milliseconds. */
export interface UpstreamSettings {
  /** What repositories from there have in front of their name: `docker.io` in `docker.io/library/debian`. */
  prefix: string
  /** Scheme and host: `https://registry-1.docker.io`. */
  url: string
  /** Sent to this host and its token service alone. */
  login?: { username: string; password: string }
  /** The host of its token service, if that is neither its own nor related to it. */
  tokenService?: string
  /** Names that clients of containerd's mirror protocol (`?ns=`) give the upstream; its prefix by default. */
  namespaces?: readonly string[]
  /** How long a tag is taken to be what it was. An hour by default. */
  tagsFreshFor?: number
  /** How long after that it is served when the upstream cannot be asked. Seven days by default. */
  serveStaleFor?: number
  /** Content that nobody has pulled for so long is removed. It is kept by default. */
  cacheFor?: number
  /** Patterns of repositories, as the upstream names them, that may come from there. All by default. */
  allow?: readonly string[]
  /** Accept an unverified certificate, and send the login over plain http. */
  insecure?: boolean
  /** Certificate authorities (PEM) besides the machine's. */
  ca?: string
}

/** An upstream whose settings have been checked. */
export interface Upstream
  extends Required<Omit<UpstreamSettings, 'login' | 'ca' | 'cacheFor' | 'tokenService' | 'url'>> {
  url: URL
  login: UpstreamSettings['login']
  ca: string | undefined
  cacheFor: number | undefined
  tokenService: string | undefined
  /** Names of one part have `library/` in front of them there. */
  isHub: boolean
}

const TAGS_FRESH_FOR = 3_600_000
const SERVE_STALE_FOR = 7 * 24 * 3_600_000
const HUB = 'docker.io'

/** INVALID_ARGUMENT for what cannot be one. */
export function checkedUpstream(settings: UpstreamSettings): Upstream {
  const { prefix, namespaces = [prefix], allow = ['**'] } = settings
  if (!isRepository(prefix)) throw invalid(`not the beginning of a repository's name: ${printable(prefix, 120)}`)
  const url = registryUrl(settings.url)
  if (!url) throw invalid(`${prefix} is to come from what is not a URL of scheme and host`)
  for (const pattern of allow) checkPattern(pattern)
  const isHub = namespaces.includes(HUB) || isHubHost(url.host)
  return {
    prefix,
    url,
    namespaces,
    allow,
    isHub,
    login: settings.login,
    ca: settings.ca,
    cacheFor: settings.cacheFor,
    tokenService: settings.tokenService,
    tagsFreshFor: settings.tagsFreshFor ?? TAGS_FRESH_FOR,
    serveStaleFor: settings.serveStaleFor ?? SERVE_STALE_FOR,
    insecure: settings.insecure ?? false,
  }
}

/** Throws INVALID_ARGUMENT when a name would lead to two of them, or to none. */
export function checkTogether(upstreams: readonly Upstream[], mirror: string | undefined): void {
  const twice = (names: readonly string[]) => names.find((name, at) => names.indexOf(name) !== at)
  const prefix = twice(upstreams.map((one) => one.prefix))
  if (prefix !== undefined) throw invalid(`two upstreams have the prefix ${prefix}`)
  const namespace = twice(upstreams.flatMap((one) => one.namespaces))
  if (namespace !== undefined) throw invalid(`two upstreams are called ${namespace} by clients`)
  if (mirror === undefined || upstreams.some((one) => one.prefix === mirror)) return
  throw invalid(`no upstream has the prefix ${printable(mirror, 120)}, which the registry is to mirror`)
}

const invalid = (message: string) => new BaleError('INVALID_ARGUMENT', message)
