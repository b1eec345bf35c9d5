import { asError, BaleError, table } from '#base'

const UNREACHABLE = table<string>({
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be looked up',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
})

const CERTIFICATE =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|INVALID_CA)$/
const NOT_TLS = /^(?:EPROTO|ERR_SSL_\w+)$/

/** Connections that break, and waits that end: worth another try. */
const BROKEN = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'STALLED',
  'ENDED_EARLY',
])
const BROKEN_STATUS = new Set([408, 425, 429, 500, 502, 503, 504])

/** A failure below HTTP as an error for the user; `url` is the other side, `proxy` the way there. */
export function networkError(thrown: unknown, url: URL, proxy?: URL): BaleError {
  if (thrown instanceof BaleError) return thrown
  const error = asError(thrown)
  const code = codeOf(error)
  const options = { cause: error, details: { host: url.host, errno: code } }
  if (proxy) {
    const refused = proxyRefusal(error, url, proxy)
    if (refused) return refused
  }
  const unreachable = code && UNREACHABLE[code]
  if (unreachable) {
    const whom = proxy ? `${url.host} through the proxy ${proxy.host}` : url.host
    return new BaleError('REGISTRY_UNREACHABLE', `cannot reach ${whom}: ${unreachable}`, {
      ...options,
      hint: proxy
        ? 'check HTTP_PROXY and HTTPS_PROXY; hosts in NO_PROXY are reached without them'
        : 'check the name of the host, its port, and whether it is running',
    })
  }
  if (code && CERTIFICATE.test(code)) {
    return new BaleError('REGISTRY_UNREACHABLE', `the certificate of ${url.host} is not trusted: ${error.message}`, {
      ...options,
      hint: `put the authority's certificate into /etc/docker/certs.d/${url.host}/ca.crt, or mark the registry as insecure`,
    })
  }
  if (code && NOT_TLS.test(code)) {
    return new BaleError('REGISTRY_UNREACHABLE', `${url.host} does not speak https`, {
      ...options,
      hint: 'a registry without https on another machine must be marked as insecure: insecureRegistries in config.json',
    })
  }
  return new BaleError('REGISTRY_FAILED', `the connection to ${url.host} failed: ${error.message}`, options)
}

const PROXY_LOGIN = 'it requires a login: USER:PASSWORD@ before its host in HTTP_PROXY and HTTPS_PROXY'
const WITHOUT_PROXY = 'hosts in NO_PROXY are reached without the proxy'

/** Source of the two messages and of the codes: undici, whose errors have no code for a status of the proxy. */
function proxyRefusal(error: Error, url: URL, proxy: URL): BaleError | undefined {
  const code = codeOf(error)
  if (code?.startsWith('UND_ERR_SOCKS5')) {
    return new BaleError(
      'REGISTRY_UNREACHABLE',
      `cannot reach ${url.host} through the proxy ${proxy.host}: ${error.message}`,
      {
        cause: error,
        details: { host: url.host, errno: code },
        hint: code.startsWith('UND_ERR_SOCKS5_AUTH') ? PROXY_LOGIN : WITHOUT_PROXY,
      },
    )
  }
  const status = /^Proxy response \((\d+)\)|^Proxy Authentication Required \((407)\)/.exec(error.message)
  if (!status) return undefined
  const number = Number(status[1] ?? status[2])
  return new BaleError(
    'REGISTRY_UNREACHABLE',
    `the proxy ${proxy.host} refuses to connect to ${url.host} (${number})`,
    {
      cause: error,
      details: { host: url.host, status: number },
      hint: number === 407 ? PROXY_LOGIN : WITHOUT_PROXY,
    },
  )
}

/** True when the same request may succeed a little later. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof BaleError)) return false
  const { errno, status } = error.details
  return BROKEN.has(errno as string) || BROKEN_STATUS.has(status as number)
}

/** True when the other side of a https connection does not speak TLS at all. */
export function isNotTls(error: unknown): boolean {
  return (
    error instanceof BaleError && typeof error.details['errno'] === 'string' && NOT_TLS.test(error.details['errno'])
  )
}

function codeOf(error: Error): string | undefined {
  const { code, cause } = error as Error & { code?: unknown }
  if (typeof code === 'string') return code
  return cause instanceof Error ? codeOf(cause) : undefined
}
