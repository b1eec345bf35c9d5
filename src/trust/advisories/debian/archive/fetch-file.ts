import { BaleError, isBaleError, readAll, withoutSecrets } from '#base'
import { verifying } from '#blob'
import { parseDigest } from '#spec'
import type { Fetcher } from '#transport'
import type { ReleaseFile } from './release.ts'

interface FetchOptions {
  readonly fetcher: Fetcher
  readonly signal?: AbortSignal
  /** Milliseconds that all of it may take. */
  readonly timeout: number
}

/** The bytes at a URL, undefined when the server has none there. LIMIT_EXCEEDED beyond `limit` bytes. */
export async function fetchFile(
  url: string,
  { limit, ...options }: FetchOptions & { limit: number },
): Promise<Uint8Array | undefined> {
  return fetched(url, options, (body) => readAll(body, { limit, what: withoutSecrets(url) }))
}

/**
 * The bytes at a URL, which have the announced size and digest; undefined when the server has none there. Nothing
 * looks at them before they are verified, so they are kept in memory as a whole: the caller bounds the size that is
 * announced.
 */
export async function fetchVerified(
  url: string,
  { size, sha256 }: ReleaseFile,
  options: FetchOptions,
): Promise<Uint8Array | undefined> {
  const expected = { size, digest: parseDigest(`sha256:${sha256}`) }
  return fetched(url, options, (body) => readAll(verifying(body, expected), { limit: size }))
}

async function fetched(
  url: string,
  { fetcher, signal, timeout }: FetchOptions,
  read: (body: AsyncIterable<Uint8Array>) => Promise<Uint8Array>,
): Promise<Uint8Array | undefined> {
  const late = AbortSignal.timeout(timeout)
  try {
    const { body } = await fetcher.get(url, { signal: signal ? AbortSignal.any([signal, late]) : late })
    return await read(body)
  } catch (error) {
    signal?.throwIfAborted()
    if (late.aborted) throw new BaleError('DOWNLOAD_FAILED', `${url} did not come within ${timeout / 1000} seconds`)
    if (isMissing(error)) return undefined
    if (isBaleError(error, 'DIGEST_MISMATCH') || isBaleError(error, 'SIZE_MISMATCH'))
      throw new BaleError(error.code, `${url} is not what the signed index announces: ${error.message}`, {
        cause: error,
      })
    throw error
  }
}

/** Some servers forbid what they do not have. */
function isMissing(error: unknown): boolean {
  return isBaleError(error, 'DOWNLOAD_FAILED') && [403, 404, 410].includes(error.details['status'] as number)
}
