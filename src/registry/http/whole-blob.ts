import type { Digest } from '#spec'
import type { StoredBlob } from '../meta/index.ts'
import type { RegistryContext } from './exchange.ts'

/**
 * A blob of a repository, as `findBlob`, whose object is there with all its bytes. One that lost its object appears not
 * to exist, so that its next pusher brings it again; the operator is told.
 */
export async function findWholeBlob(
  context: RegistryContext,
  repository: string,
  digest: Digest,
  options: { lease?: number } = {},
): Promise<StoredBlob | undefined> {
  const blob = await context.meta.findBlob(repository, digest, options)
  if (!blob) return undefined
  const size = await context.objects.size(blob.key)
  if (size === blob.size) return blob
  const state = size === undefined ? 'is missing' : `has ${size} bytes where ${blob.size} were recorded`
  context.report(new Error(`the object ${blob.key} of ${digest} ${state}`), digest)
  return undefined
}
