import { isBaleError } from '#base'
import { type HttpClient, isNotTls } from '#transport/http'
import type { RegistryHost } from './registry-host.ts'

interface ChooseOptions {
  insecure: boolean
  signal?: AbortSignal
}

/**
 * https, except where plain http is allowed: on this machine, and for a registry that is marked as insecure. There one
 * request detects the protocol. A certificate that is not trusted is never a reason for plain http.
 */
export async function chooseBase(registry: RegistryHost, client: HttpClient, options: ChooseOptions): Promise<URL> {
  const secure = new URL(`https://${registry.host}`)
  const plain = new URL(`http://${registry.host}`)
  if (!registry.loopback && !options.insecure) return secure
  if (registry.loopback) {
    const found = await speaksHttp(plain, client, options)
    if (found) return found
  }
  if (await speaksHttps(secure, client, options)) return secure
  return (await speaksHttp(plain, client, options)) ?? plain
}

/**
 * Where a server answers plain http: there, or by https where it sends everybody to that. Nobody is between us and this
 * machine, so plain http, which is usual there, is tried first.
 */
async function speaksHttp(base: URL, client: HttpClient, { signal }: ChooseOptions): Promise<URL | undefined> {
  try {
    const answer = await client.send({ method: 'GET', url: new URL('/v2/', base), signal })
    await answer.discard()
    // Servers that expect TLS say 400 to plain http, or hang up.
    if (answer.status === 400) return undefined
    const stronger = answer.url.protocol === 'https:' && answer.url.hostname === base.hostname
    return stronger ? new URL(answer.url.origin) : base
  } catch (error) {
    if (isBaleError(error, 'REGISTRY_UNREACHABLE') && base.port !== '') throw error
    if (isBaleError(error)) return undefined
    throw error
  }
}

async function speaksHttps(base: URL, client: HttpClient, { signal }: ChooseOptions): Promise<boolean> {
  try {
    await (await client.send({ method: 'GET', url: new URL('/v2/', base), signal })).discard()
    return true
  } catch (error) {
    // Without a port in its name the registry may be on 80 instead of 443.
    const closed = isBaleError(error, 'REGISTRY_UNREACHABLE') && error.details['errno'] === 'ECONNREFUSED'
    if (isNotTls(error) || (closed && base.port === '')) return false
    throw error
  }
}
