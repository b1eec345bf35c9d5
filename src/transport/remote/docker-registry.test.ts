import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { digestOf } from '#blob'
import { type Descriptor, MediaType } from '#spec'
import { fixedCredential, noCredentials } from '#transport/credentials'
import { ann, startDockerRegistry, withoutDockerRegistry } from '../../../test/kit/docker-registry.ts'
import { checkLogin, openRepository } from './open-repository.ts'

const skip = withoutDockerRegistry()
const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
const layer = randomBytes(3_000_000)

function described(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
}

const blobs = [described(MediaType.ociConfig, config), described(MediaType.ociLayerGzip, layer)] as const
const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociManifest, config: blobs[0], layers: [blobs[1]] }),
)
const descriptor = described(MediaType.ociManifest, manifest)

test('an image goes to Debian’s docker-registry with a login, and comes back byte for byte', { skip }, async () => {
  await using registry = await startDockerRegistry({ login: true })
  const credentials = fixedCredential(registry.host, { kind: 'password', ...ann })
  await checkLogin(registry.host, { credentials })
  await assert.rejects(
    checkLogin(registry.host, {
      credentials: fixedCredential(registry.host, { kind: 'password', username: 'ann', password: 'wrong' }),
    }),
    { code: 'UNAUTHORIZED', message: /incorrect username or password/ },
  )
  await using stranger = openRepository(
    { registry: registry.host, repository: 'team/web' },
    { credentials: noCredentials },
  )
  await assert.rejects(
    stranger.putBlob(blobs[0], async () => inPieces(config)),
    { code: 'UNAUTHORIZED' },
  )

  await using repository = openRepository({ registry: registry.host, repository: 'team/web' }, { credentials })
  assert.equal(await repository.has(blobs[1]), false)
  await Promise.all([config, layer].map((bytes, at) => repository.putBlob(blobs[at]!, async () => inPieces(bytes))))
  assert.equal(await repository.has(blobs[1]), true)
  await repository.putManifest(descriptor, manifest)
  await repository.tag('1', { descriptor, bytes: manifest })

  await using reader = openRepository({ registry: registry.host, repository: 'team/web' }, { credentials })
  assert.deepEqual((await reader.resolve('1')).descriptor, descriptor)
  assert.ok(manifest.equals(await reader.manifest(descriptor)))
  assert.ok(layer.equals(Buffer.concat(await Array.fromAsync(await reader.blob(blobs[1])))))
  assert.ok(
    layer
      .subarray(1_234_567)
      .equals(Buffer.concat(await Array.fromAsync(await reader.blob(blobs[1], { offset: 1_234_567 })))),
  )
  assert.deepEqual(await Array.fromAsync(reader.tags()), ['1'])
  assert.deepEqual(await reader.referrers(descriptor.digest), [])

  // Another repository of the same registry: mounted, not sent.
  await using second = openRepository({ registry: registry.host, repository: 'team/copy' }, { credentials })
  await second.putBlob(blobs[1], () => assert.fail('the blob is sent again'), { from: repository })
  assert.equal(await second.has(blobs[1]), true)

  await reader.deleteManifest(descriptor.digest)
  await using late = openRepository({ registry: registry.host, repository: 'team/web' }, { credentials })
  await assert.rejects(late.resolve('1'), { code: 'MANIFEST_NOT_FOUND', message: /manifest unknown/ })
  assert.equal(await late.has(descriptor), false)
})

test('a blob whose bytes are not what was announced is refused by Debian’s docker-registry', { skip }, async () => {
  await using registry = await startDockerRegistry()
  await using repository = openRepository({ registry: registry.host, repository: 'x' }, { credentials: noCredentials })
  const wrong = { ...blobs[0], digest: digestOf('something else') }
  await assert.rejects(
    repository.putBlob(wrong, async () => inPieces(config)),
    { code: 'DIGEST_MISMATCH', message: /digest/ },
  )
  await assert.rejects(repository.putManifest(descriptor, manifest), { code: 'REGISTRY_REFUSED' })
})
