/** `bale registry import-from`, from a docker-registry that has its content by pushes. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { type TestBale, testBale } from '../../../test/kit/bale.ts'
import { startCeph, withoutCeph } from '../../../test/kit/ceph.ts'
import { distributionFiles } from '../../../test/kit/distribution-files.ts'
import { startPostgres, withoutPostgres } from '../../../test/kit/postgres.ts'
import { dockerRegistry, dockerRegistryMissing } from '../../../test/kit/registry.ts'
import { clientOf, INDEX_TYPE, MANIFEST_TYPE, sha256, startRegistry } from '../../../test/kit/registry-client.ts'
import { replicasOn } from '../../../test/kit/replica.ts'
import { until } from '../../../test/kit/until.ts'

type Client = ReturnType<typeof clientOf>

/** Pushes as most clients do: docker-registry does not take a blob in a single request. */
async function pushBlob(client: Client, repository: string, content: string) {
  const digest = sha256(content)
  const begun = await client.request('POST', `/v2/${repository}/blobs/uploads/`)
  const { pathname, search } = new URL(begun.headers.location!)
  const headers = { 'Content-Type': 'application/octet-stream' }
  const put = await client.request('PUT', `${pathname}${search}&digest=${digest}`, { headers, body: content })
  assert.equal(put.status, 201)
  return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: Buffer.byteLength(content) }
}

async function pushManifest(client: Client, repository: string, document: object, tag?: string) {
  const { mediaType = MANIFEST_TYPE } = document as { mediaType?: string }
  const body = JSON.stringify(document)
  const path = `/v2/${repository}/manifests/${tag ?? sha256(body)}`
  const { status } = await client.request('PUT', path, { headers: { 'Content-Type': mediaType }, body })
  assert.equal(status, 201)
  return { mediaType, digest: sha256(body), size: Buffer.byteLength(body) }
}

async function pushImage(client: Client, repository: string, content: string, tag?: string) {
  const mediaType = 'application/vnd.oci.image.config.v1+json'
  const config = { ...(await pushBlob(client, repository, JSON.stringify({ content }))), mediaType }
  const layers = [await pushBlob(client, repository, `layer of ${content}`)]
  const manifest = await pushManifest(client, repository, { schemaVersion: 2, config, layers }, tag)
  return { ...manifest, blobs: [config, ...layers] }
}

const importing = (bale: TestBale, ...flags: string[]) => [
  'registry',
  'import-from',
  ...flags,
  `${bale.directory}/docker-registry`,
]

test('what a docker-registry has by pushes is there after the import, by the same digests, while both are served', {
  skip: dockerRegistryMissing,
}, async () => {
  await using bale = await testBale()
  await using source = await dockerRegistry(bale.directory)
  const from = clientOf(source.host)
  const [one, two] = [await pushImage(from, 'team/web', 'one', '1'), await pushImage(from, 'team/web', 'two')]
  const list = (manifests: object[]) => ({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests })
  const bare = ({ mediaType, digest, size }: typeof one) => ({ mediaType, digest, size })
  const index = await pushManifest(from, 'team/web', list([bare(one), bare(two)]), 'all')
  const again = await pushImage(from, 'team/deep/web', 'one', 'v1.0_x')
  await using target = await startRegistry()
  const root = ['--root', target.directory]
  const dry = await bale.run(importing(bale, ...root, '--dry-run'))
  const counts =
    'Repositories: 2\nManifests: 4, 4 of them new\nTags: 3, 3 of them new\nBlobs: 4 (58 bytes), 4 of them new\nSkipped: 0'
  const each = 'team/deep/web: 1 manifest, 1 tag\nteam/web: 3 manifests, 2 tags'
  assert.equal(dry, `Nothing is changed. An import would bring:\n${each}\n${counts}`)
  assert.equal(await bale.run(importing(bale, ...root)), `${each}\n${counts}`)
  const references: [string, string, string][] = [
    ['team/web', '1', one.digest],
    ['team/web', 'all', index.digest],
    ['team/deep/web', 'v1.0_x', again.digest],
    ...[one, two, index].map(({ digest }): [string, string, string] => ['team/web', digest, digest]),
  ]
  for (const [repository, reference, digest] of references) {
    const path = `/v2/${repository}/manifests/${reference}`
    const headers = { Accept: `${MANIFEST_TYPE}, ${INDEX_TYPE}` }
    const [there, here] = [await from.request('GET', path, { headers }), await target.request('GET', path)]
    assert.deepEqual([here.status, sha256(here.body), here.body], [200, digest, there.body])
    assert.equal(here.headers['content-type'], there.headers['content-type'])
  }
  for (const { digest } of [...one.blobs, ...two.blobs]) {
    const here = await target.request('GET', `/v2/team/web/blobs/${digest}`)
    assert.deepEqual([here.status, sha256(here.body)], [200, digest])
  }
  for (const { digest } of again.blobs) {
    assert.equal((await target.request('GET', `/v2/team/deep/web/blobs/${digest}`)).status, 200)
  }
  // What is pushed there meanwhile comes with the next run, and nothing else.
  const three = await pushImage(from, 'team/web', 'three', '1')
  const next = await bale.run(importing(bale, ...root))
  assert.match(next, /^Manifests: 5, 1 of them new\nTags: 3, 1 of them new\nBlobs: 6 .*, 2 of them new\nSkipped: 0$/m)
  assert.equal(sha256((await target.request('GET', '/v2/team/web/manifests/1')).body), three.digest)
  assert.match(await bale.run(['registry', 'check', ...root]), /^Damaged: 0$/m)
})

const noReplicas = withoutPostgres() || withoutCeph()

test('an import fills a registry on PostgreSQL and a bucket while a replica serves it', {
  skip: noReplicas,
}, async () => {
  await using bale = await testBale()
  const files = distributionFiles(`${bale.directory}/docker-registry`)
  // More than a part of an object, and not a multiple of one.
  const large = files.blob('a/b', 'x'.repeat((12 << 20) + 1))
  const config = files.blob('a/b', '{}')
  const image = files.manifest('a/b', { schemaVersion: 2, config, layers: [large] }, '1')
  const list = files.index('a/b', [image], 'list')
  await using postgres = await startPostgres()
  await using ceph = await startCeph()
  await using replicas = await replicasOn({ postgres, ceph })
  const replica = await replicas.replica({ more: { anonymous: 'pull' } })
  await replica.start()
  const into = ['--config', replica.config]
  assert.match(
    await bale.run(importing(bale, ...into)),
    /^Manifests: 2, 2 of them new\n.*\nBlobs: 2 .*, 2 of them new$/m,
  )
  const client = clientOf(replica.address)
  for (const [path, digest] of [
    ['manifests/list', list.digest],
    [`manifests/${image.digest}`, image.digest],
    [`blobs/${large.digest}`, large.digest],
    [`blobs/${config.digest}`, config.digest],
  ]) {
    const answer = await client.request('GET', `/v2/a/b/${path}`)
    assert.deepEqual([answer.status, sha256(answer.body)], [200, digest], path)
  }
  assert.match(
    await bale.run(importing(bale, ...into)),
    /^Manifests: 2, 0 of them new\n.*\nBlobs: 2 .*, 0 of them new$/m,
  )
  assert.deepEqual((await replicas.inBucket()).objects.length, 2)
})

const BIG = 256 << 20

/** SIGKILL while the large blob is on its way. */
test('an import that is killed goes on with the next run; what is damaged is named, and the exit code is 1', async () => {
  await using bale = await testBale()
  const files = distributionFiles(`${bale.directory}/docker-registry`)
  files.image('a/first', 'first', { tag: '1' })
  const big = files.blob('b/big', 'x'.repeat(BIG))
  files.manifest('b/big', { schemaVersion: 2, config: files.blob('b/big', '{}'), layers: [big] }, '1')
  const broken = files.image('c/broken', 'broken', { tag: '1' })
  files.bytes('x', broken.layer.digest)
  const target = join(bale.directory, 'target')
  mkdirSync(target, { mode: 0o700 })
  const program = resolve(import.meta.dirname, '../../../bin/bale')
  const child = spawn(program, importing(bale, '--root', target), { env: bale.environment, stdio: 'ignore' })
  const ended = once(child, 'exit')
  await until('the large blob is begun', () => sizes(join(target, 'objects')).some((size) => size > 1 << 20))
  child.kill('SIGKILL')
  assert.equal((await ended)[1], 'SIGKILL', 'it was still at work')
  const { code, stdout, stderr } = await bale.try(importing(bale, '--root', target))
  assert.equal(code, 1)
  assert.match(stdout, /^Manifests: 2, 1 of them new$/m)
  assert.match(stdout, /^Blobs: 5 .*, [23] of them new\nSkipped: 3$/m)
  assert.match(
    stderr,
    new RegExp(`^c/broken@${broken.digest}: it needs the blob ${broken.layer.digest}: its bytes have`, 'm'),
  )
  await using registry = await startRegistry({ directory: target })
  const answer = await registry.request('GET', `/v2/b/big/blobs/${big.digest}`)
  assert.deepEqual([answer.status, sha256(answer.body)], [200, big.digest])
})

function sizes(directory: string): number[] {
  const { stdout } = spawnSync('find', [directory, '-type', 'f', '-printf', '%s\\n'], { encoding: 'utf8' })
  return stdout.split('\n').map(Number)
}
