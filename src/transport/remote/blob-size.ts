import { BaleError, type OperationOptions } from '#base'
import type { Digest } from '#spec'
import type { Names } from './names.ts'
import type { Session } from './session.ts'

/** Source: distribution-spec, "Pulling blobs": a HEAD has the size as its Content-Length. */
export async function blobSize(
  session: Session,
  names: Names,
  digest: Digest,
  { signal }: OperationOptions = {},
): Promise<number> {
  const answer = await session.send({
    method: 'HEAD',
    target: names.path(`blobs/${digest}`),
    headers: { 'accept-encoding': 'identity' },
    scopes: names.pull,
    expect: [200],
    what: `blob ${names.written(digest)}`,
    notFound: 'BLOB_NOT_FOUND',
    signal,
  })
  await answer.discard()
  const length = answer.headers['content-length'] ?? ''
  if (/^\d{1,15}$/.test(length)) return Number(length)
  throw new BaleError('REGISTRY_FAILED', `${names.registry} does not say how large the blob ${digest} is`)
}
