/** Our client against our registry: token service, roles, resume, mounts, listings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '#blob'
import { copyImage, createMemoryPlace, putImage, randomImage } from '#image'
import { MediaType } from '#spec'
import { fixedCredential, noCredentials } from '#transport/credentials'
import { startRegistry } from '../../../test/kit/registry-client.ts'
import { checkLogin, openRepository } from './open-repository.ts'

const ann = { kind: 'password', username: 'ann', password: 'password-of-ann' } as const

async function withUsers() {
  const registry = await startRegistry({ anonymous: 'none' })
  await registry.registry.users.add('ann', ann.password)
  await registry.registry.users.add('bob', 'password-of-bob')
  await registry.registry.users.grant('ann', 'team/**', 'admin')
  await registry.registry.users.grant('bob', 'team/**', 'read')
  return registry
}

test('an image goes to bale’s registry by its token service and comes back; roles hold', async () => {
  await using registry = await withUsers()
  const credentials = fixedCredential(registry.address, ann)
  await checkLogin(registry.address, { credentials })
  await assert.rejects(
    checkLogin(registry.address, {
      credentials: fixedCredential(registry.address, { ...ann, password: 'wrong-password' }),
    }),
    { code: 'UNAUTHORIZED', message: /incorrect username or password/ },
  )
  const memory = createMemoryPlace()
  const image = await randomImage({ seed: 7, layers: 3, fileSize: 200_000 })
  await putImage(memory, image)
  const name = { registry: registry.address, repository: 'team/web' }
  await using repository = openRepository(name, { credentials })
  const from = { name: image.manifestDescriptor.digest }
  assert.equal((await copyImage(memory, repository, { ...from, targetName: '1' })).unchanged, false)
  assert.equal((await copyImage(memory, repository, { ...from, targetName: '2' })).unchanged, true)
  assert.deepEqual(await Array.fromAsync(repository.tags()), ['1', '2'])

  await using reader = openRepository(name, {
    credentials: fixedCredential(registry.address, { kind: 'password', username: 'bob', password: 'password-of-bob' }),
  })
  const target = createMemoryPlace()
  const copied = await copyImage(reader, target, { name: '1', targetName: 'copy' })
  assert.deepEqual(copied.descriptor.digest, image.manifestDescriptor.digest)
  await assert.rejects(copyImage(memory, reader, { ...from, targetName: '3' }), (error: { code?: string }) =>
    ['DENIED', 'UNAUTHORIZED'].includes(error.code!),
  )
  await using stranger = openRepository(name, { credentials: noCredentials })
  await assert.rejects(stranger.resolve('1'), { code: 'UNAUTHORIZED' })

  // Another repository of the registry: every layer is linked.
  await using second = openRepository({ ...name, repository: 'team/copy' }, { credentials })
  const mounted: string[] = []
  await copyImage(repository, second, {
    name: '1',
    targetName: '1',
    progress: (event) => event.kind === 'layer' && event.phase === 'mounted' && mounted.push(event.from),
  })
  assert.deepEqual(new Set(mounted), new Set(['team/web']))

  assert.deepEqual(await repository.referrers(image.manifestDescriptor.digest), [])
  const signature = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      artifactType: 'application/x.signature',
      config: { mediaType: MediaType.ociEmpty, digest: (await emptyBlob(repository)).digest, size: 2 },
      layers: [],
      subject: image.manifestDescriptor,
    }),
  )
  const descriptor = { mediaType: MediaType.ociManifest, digest: digestOf(signature), size: signature.length }
  await repository.putManifest(descriptor, signature)
  const [referrer] = await repository.referrers(image.manifestDescriptor.digest, {
    artifactType: 'application/x.signature',
  })
  assert.equal(referrer?.digest, descriptor.digest)

  await repository.deleteManifest(image.manifestDescriptor.digest)
  await using late = openRepository(name, { credentials })
  await assert.rejects(late.resolve('1'), { code: 'MANIFEST_NOT_FOUND' })
})

async function emptyBlob(repository: ReturnType<typeof openRepository>) {
  const bytes = Buffer.from('{}')
  const descriptor = { mediaType: MediaType.ociEmpty, digest: digestOf(bytes), size: bytes.length }
  await repository.putBlob(descriptor, async () =>
    (async function* () {
      yield bytes
    })(),
  )
  return descriptor
}
