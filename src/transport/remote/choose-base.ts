import { isBaleError } from '#base'
import type { HttpClient } from './http-client.ts'
import { isNotTls } from './network-error.ts'
import type { RegistryHost } from './registry-host.ts'

/**
 * https, except where plain http is allowed (this machine, or marked as insecure) and the registry does not speak TLS,
 * which one request finds out. A certificate that is not trusted is never a reason for plain http.
 */
export async function chooseBase(
  registry: RegistryHost,
  client: HttpClient,
  { insecure, signal }: { insecure: boolean; signal?: AbortSignal },
): Promise<URL> {
  const secure = new URL(`https://${registry.host}`)
  if (!insecure && !registry.loopback) return secure
  const plain = new URL(`http://${registry.host}`)
  try {
    await (await client.send({ method: 'GET', url: new URL('/v2/', secure), signal })).discard()
    return secure
  } catch (error) {
    // Without a port in its name the registry may be on 80 instead of 443.
    const closed = isBaleError(error, 'REGISTRY_UNREACHABLE') && error.details['errno'] === 'ECONNREFUSED'
    if (isNotTls(error) || (closed && secure.port === '' && !/:\d+$/.test(registry.host))) return plain
    throw error
  }
}
