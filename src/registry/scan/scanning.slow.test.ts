import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cachedRegistry } from '../../../test/kit/cached-registry.ts'
import { imageOfTars } from '../../../test/kit/image-of-tars.ts'
import { clientOf, startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'
import { debianAdvisory, debianLayer, scanPlace } from '../../../test/kit/scan-place.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import { openRegistryAdmin, type RegistryAdmin, readConfiguration, serveConfigured } from '../index.ts'

/** Pushes an image of Debian with these packages. */
async function pushDebian(
  { blob, request }: Pick<TestRegistry, 'blob' | 'request'>,
  name: string,
  packages: Record<string, string>,
): Promise<void> {
  const { place, manifest } = await imageOfTars([await debianLayer(packages)])
  if (manifest.kind !== 'manifest') throw new Error('it is an index')
  for (const one of [manifest.manifest.config, ...manifest.manifest.layers]) {
    await blob(name, Buffer.concat(await Array.fromAsync(await place.blob(one))))
  }
  const headers = { 'Content-Type': manifest.descriptor.mediaType }
  const answer = await request('PUT', `/v2/${name}/manifests/1`, { headers, body: manifest.bytes })
  assert.equal(answer.status, 201, answer.body.toString())
}

/** What is found in an image, once something is known of it. */
async function findingsOf(admin: Pick<RegistryAdmin, 'scans'>, name: string): Promise<string[]> {
  const result = await until(
    'it has a result',
    async () => (await Array.fromAsync(admin.scans.report(name)))[0]?.result,
  )
  return result.findings.map((one) => `${one.id} ${one.package.name} ${one.package.version}`)
}

async function advisoriesAt(openssl: string) {
  const place = await scanPlace()
  await place.putAdvisories([debianAdvisory(openssl, 'openssl')])
  return place
}

test('an image that is pushed is looked at soon, and reports tell what was found', async () => {
  await using place = await advisoriesAt('CVE-2024-1')
  await using registry = await startRegistry({ scanning: { advisories: place.advisories } })
  await pushDebian(registry, 'acme/web', { openssl: '3.0.11-1', bash: '5.2' })
  assert.deepEqual(await findingsOf(registry.registry, 'acme/web:1'), ['CVE-2024-1 openssl 3.0.11-1'])
})

test('an image of an upstream is looked at before anyone has pulled more than its manifest', async () => {
  await using place = await advisoriesAt('CVE-2024-1')
  await using under = await cachedRegistry({ serve: { scanning: { advisories: place.advisories } } })
  await pushDebian(under.upstream, 'library/debian', { openssl: '3.0.11-1' })
  assert.equal((await under.get('/v2/docker.io/library/debian/manifests/1')).status, 200)
  assert.deepEqual(await findingsOf(under.cache.registry, 'docker.io/library/debian:1'), [
    'CVE-2024-1 openssl 3.0.11-1',
  ])
})

test('one of several processes on a machine looks at images, as the configuration says', async () => {
  await using place = await advisoriesAt('CVE-2024-1')
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'registry.yaml')
  const content = {
    ...{ directory: 'r', anonymous: 'push', listen: { address: '127.0.0.1:0', workers: 2 } },
    scanning: { advisories: place.advisories, memory: '512MiB', timeout: '2m' },
  }
  writeFileSync(path, JSON.stringify(content))
  await using served = await serveConfigured(await readConfiguration(path), { environment: {} })
  await pushDebian(clientOf(served.address), 'acme/web', { openssl: '3.0.11-1' })
  await using admin = await openRegistryAdmin({ directory: join(directory.path, 'r') })
  assert.deepEqual(await findingsOf(admin, 'acme/web:1'), ['CVE-2024-1 openssl 3.0.11-1'])
})
