/**
 * transport/http: the one way to everything that has a URL. Promises: proxies as Go programs read them (never for this
 * machine), TLS settings that hold behind a proxy too, redirects never to a weaker scheme, no credentials to another
 * host, and a bound on every wait and read. Does not: know registries, or read the environment.
 */
export type { AddressRules } from './admitted-addresses.ts'
export { type ConnectionSettings, connectionSettings } from './connection-settings.ts'
export { decodedStream, isEncoded } from './content-encoding.ts'
export { createFetcher, type FetchedUrl, type Fetcher } from './fetcher.ts'
export { HttpAnswer } from './http-answer.ts'
export { createHttpClient, type HttpClient, type HttpRequest, redirectTarget } from './http-client.ts'
export { defaultHttpLimits, type HttpLimits } from './http-limits.ts'
export { isNotTls, isTransient } from './network-error.ts'
export type { ProxySettings } from './proxy-rules.ts'
export { parseRetryAfter } from './retry-after.ts'
export { type TlsFiles, tlsSettings } from './tls-settings.ts'
