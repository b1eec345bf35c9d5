/** Images that are pushed to a served registry, to be scanned there. */
import assert from 'node:assert/strict'
import { digestOf } from '../../src/blob/index.ts'
import { imageOfTars } from './image-of-tars.ts'
import type { TestRegistry } from './registry-client.ts'

/** Pushes an image of these layers under a tag. */
export async function pushTars(
  client: Pick<TestRegistry, 'request' | 'blob'>,
  repository: string,
  tag: string,
  tars: readonly Promise<Buffer>[],
): Promise<{ digest: string; layer: string }> {
  const { place, manifest } = await imageOfTars(await Promise.all(tars))
  if (manifest.kind !== 'manifest') throw new Error('it is an index')
  const { config, layers } = manifest.manifest
  for (const one of [config, ...layers]) {
    await client.blob(repository, Buffer.concat(await Array.fromAsync(await place.blob(one))))
  }
  const answer = await client.request('PUT', `/v2/${repository}/manifests/${tag}`, {
    headers: { 'Content-Type': manifest.descriptor.mediaType },
    body: manifest.bytes,
  })
  assert.equal(answer.status, 201, answer.body.toString())
  return { digest: digestOf(manifest.bytes), layer: layers[0]!.digest }
}
