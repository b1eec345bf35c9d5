/** Trees of files as distribution has them, also ones that it would never write. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { isBaleError, systemClock } from '#base'
import { type DistributionFiles, distributionFiles } from '../../../test/kit/distribution-files.ts'
import { sha256, sha512, startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { openRegistryAdmin } from '../embedded.ts'
import { openSqliteMeta } from '../meta/index.ts'
import { createFileObjects } from '../objects/index.ts'
import { createUploads } from '../uploads/index.ts'
import { type Imported, type ImportOptions, importFrom } from './index.ts'

/** A source's files, and a registry that is served while they are imported. */
async function places() {
  const directory = await temporaryDirectory('bale-import')
  const files = distributionFiles(join(directory.path, 'source'))
  mkdirSync(files.path('repositories'), { recursive: true })
  const registry = await startRegistry()
  return {
    files,
    registry,
    directory: directory.path,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

async function importInto(
  registry: Pick<TestRegistry, 'directory'>,
  files: DistributionFiles,
  options: ImportOptions & { prefixes?: string[] } = {},
): Promise<Imported & { told: string[] }> {
  const upstreams = options.prefixes?.map((prefix) => ({ prefix }))
  await using admin = await openRegistryAdmin({ directory: registry.directory, upstreams })
  const told: string[] = []
  const skipped = (thing: string, reason: string) => told.push(`${thing}: ${reason}`)
  return { ...(await admin.importFrom(files.root, { ...options, skipped })), told: told.toSorted() }
}

const status = async (registry: TestRegistry, path: string) => (await registry.request('GET', `/v2/${path}`)).status

function objectsOf({ directory }: TestRegistry): number {
  const objects = join(directory, 'objects')
  return existsSync(objects) ? readdirSync(objects, { recursive: true }).length : 0
}

/** Asserts that the registry answers with these very bytes. */
async function assertBlob(registry: TestRegistry, repository: string, digest: string): Promise<void> {
  const answer = await registry.request('GET', `/v2/${repository}/blobs/${digest}`)
  assert.deepEqual([answer.status, sha256(answer.body)], [200, digest])
}

async function assertManifest(registry: TestRegistry, repository: string, reference: string, digest: string) {
  const answer = await registry.request('GET', `/v2/${repository}/manifests/${reference}`)
  assert.deepEqual([answer.status, sha256(answer.body)], [200, digest], `${repository} ${reference}`)
}

test('images, indexes, what refers to them and lone blobs arrive with equal digests while the registry is served; again, nothing is new', async () => {
  await using place = await places()
  const { files, registry } = place
  const tagged = files.image('team/web', 'one', { tag: '1' })
  files.tag('team/web', 'latest', tagged.digest)
  const untagged = files.image('team/web', 'two')
  const inner = files.index('team/web', [tagged, untagged])
  const outer = files.index('team/web', [inner, files.image('team/web', 'three')], 'all')
  const { mediaType, digest, size } = tagged
  const signature = files.image('team/web', 'signature', { more: { subject: { mediaType, digest, size } } })
  const shared = files.image('web', 'one', { tag: '1' })
  const lone = files.blob('only/blobs', 'lone')
  const first = await importInto(registry, files)
  const blobs = { all: 9, new: 9, bytes: first.blobs.bytes }
  const counts = {
    repositories: 3,
    manifests: { all: 7, new: 7 },
    tags: { all: 4, new: 4 },
    blobs,
    skipped: 0,
    told: [],
  }
  assert.deepEqual(first, counts)
  for (const [reference, one] of [
    ['1', tagged],
    ['latest', tagged],
    ['all', outer],
  ] as const) {
    await assertManifest(registry, 'team/web', reference, one.digest)
  }
  for (const one of [tagged, untagged, inner, outer, signature]) {
    await assertManifest(registry, 'team/web', one.digest, one.digest)
  }
  for (const one of [tagged, untagged, signature]) {
    for (const blob of [one.config, one.layer]) await assertBlob(registry, 'team/web', blob.digest)
  }
  await assertManifest(registry, 'web', '1', shared.digest)
  await assertBlob(registry, 'web', shared.layer.digest)
  await assertBlob(registry, 'only/blobs', lone.digest)
  const referrers = await registry.request('GET', `/v2/team/web/referrers/${tagged.digest}`)
  assert.deepEqual(
    referrers.json<{ manifests: { digest: string }[] }>().manifests.map((one) => one.digest),
    [signature.digest],
  )
  const before = objectsOf(registry)
  const none = (tally: { all: number }) => ({ ...tally, new: 0 })
  const { manifests, tags } = counts
  const again = { ...counts, manifests: none(manifests), tags: none(tags), blobs: none(blobs) }
  // What is there is not even read again.
  files.bytes('damaged since', tagged.layer.digest)
  assert.deepEqual(await importInto(registry, files), again)
  assert.equal(objectsOf(registry), before)
})

test('a blob that is linked by a digest of another algorithm than it is stored by is there by the one of its link', async () => {
  await using place = await places()
  const { files, registry } = place
  const stored = files.bytes('both')
  const digest = sha512('both')
  const link = (of: string) => files.path('repositories/a/b/_layers/sha512', of.slice('sha512:'.length), 'link')
  files.file(link(digest), stored)
  files.file(link(sha512('other')), stored)
  assert.deepEqual((await importInto(registry, files)).told, [
    `blob ${sha512('other')}: its bytes have the digest ${digest}`,
  ])
  const answer = await registry.request('GET', `/v2/a/b/blobs/${digest}`)
  assert.deepEqual([answer.status, answer.body.toString()], [200, 'both'])
})

test('what was deleted in the source, and unfinished uploads, are neither taken over nor complained about', async () => {
  await using place = await places()
  const { files, registry } = place
  const gone = files.image('a/b', 'gone')
  const hex = gone.digest.slice(7)
  rmSync(files.path('repositories/a/b/_manifests/revisions/sha256', hex, 'link'))
  for (const { digest } of [gone.config, gone.layer]) {
    rmSync(files.path('repositories/a/b/_layers/sha256', digest.slice(7), 'link'))
  }
  files.file(files.path('repositories/a/b/_uploads/0a7c/data'), 'half')
  const { repositories, manifests, blobs, told } = await importInto(registry, files)
  assert.deepEqual([repositories, manifests.all, blobs.all, told], [0, 0, 0, []])
  assert.equal(await status(registry, 'a/b/tags/list'), 404)
})

test('what would be below the prefix of an upstream is left out and named', async () => {
  await using parts = await places()
  const { files, registry } = parts
  files.image('docker.io/library/x', 'one', { tag: '1' })
  files.image('a/b', 'two', { tag: '1' })
  const { told, repositories } = await importInto(registry, files, { prefixes: ['docker.io'] })
  assert.deepEqual(told, ['docker.io/library/x: docker.io/library/x comes from docker.io, which alone fills it'])
  assert.equal(repositories, 1)
  assert.equal(await status(registry, 'docker.io/library/x/manifests/1'), 404)
})

test('damaged bytes are named and skipped with the manifests and tags that need them; everything else comes', async () => {
  await using place = await places()
  const { files, registry } = place
  const whole = files.image('a/b', 'whole', { tag: 'whole' })
  const image = (content: string) => files.image('a/b', content, { tag: content })
  const [changed, missing, resized] = [image('changed'), image('missing'), image('resized')]
  files.bytes('LAYER OF changed', changed.layer.digest)
  rmSync(dirname(files.path('blobs/sha256', missing.layer.digest.slice(7, 9), missing.layer.digest.slice(7), 'data')), {
    recursive: true,
  })
  const wrongSize = files.manifest('a/b', {
    schemaVersion: 2,
    config: { ...resized.config, size: 1 },
    layers: [],
  })
  const parent = files.index('a/b', [whole, changed], 'parent')
  const other = files.image('a/b', 'manifest')
  files.bytes('{}', other.digest)
  const huge = files.manifest('a/b', `{"x":"${'x'.repeat(5 << 20)}"}`)
  const first = files.manifest('a/b', '{"schemaVersion":1}', 'schema1')
  const { told, manifests, skipped } = await importInto(registry, files)
  const changedTo = sha256('LAYER OF changed')
  assert.deepEqual(
    told,
    [
      `blob ${changed.layer.digest}: its bytes have the digest ${changedTo}`,
      `a/b@${changed.digest}: it needs the blob ${changed.layer.digest}: its bytes have the digest ${changedTo}`,
      `a/b:changed: its manifest ${changed.digest} was skipped`,
      `blob ${missing.layer.digest}: its bytes are missing`,
      `a/b@${missing.digest}: it needs the blob ${missing.layer.digest}: its bytes are missing`,
      `a/b:missing: its manifest ${missing.digest} was skipped`,
      `a/b@${wrongSize.digest}: it gives a wrong size for ${resized.config.digest}, which has ${resized.config.size} bytes`,
      `a/b@${parent.digest}: it needs ${changed.digest}, which the repository does not have`,
      `a/b:parent: its manifest ${parent.digest} was skipped`,
      `a/b@${other.digest}: its bytes have the digest ${sha256('{}')}`,
      `a/b@${huge.digest}: the file data has ${huge.size} bytes, more than 4194304`,
      `a/b@${first.digest}: manifest is of docker schema version 1, which is no longer supported`,
      `a/b:schema1: its manifest ${first.digest} was skipped`,
    ].toSorted(),
  )
  assert.deepEqual([manifests.all, skipped], [2, told.length])
  await assertManifest(registry, 'a/b', 'whole', whole.digest)
  await assertManifest(registry, 'a/b', 'resized', resized.digest)
  for (const one of [changed, missing, wrongSize, parent, other, huge, first]) {
    assert.equal(await status(registry, `a/b/manifests/${one.digest}`), 404)
  }
  assert.equal(await status(registry, `a/b/blobs/${changed.layer.digest}`), 404)
  // Mended in the source, it comes with the next run.
  files.bytes('layer of changed', changed.layer.digest)
  assert.equal((await importInto(registry, files)).manifests.new, 2)
  await assertManifest(registry, 'a/b', 'parent', parent.digest)
})

test('links of the file system are not followed, and links and names that distribution would not write are refused (A22)', async () => {
  await using place = await places()
  const { files, registry, directory } = place
  const good = files.image('a/b', 'good', { tag: 'good' })
  // Outside: a whole second tree, which links of the first one lead to.
  const outside = distributionFiles(join(directory, 'outside'))
  const secret = outside.image('secret/x', 'secret', { tag: '1' })
  symlinkSync(outside.path('repositories/secret'), files.path('repositories/secret'))
  symlinkSync(outside.path('repositories/secret/x/_manifests'), files.path('repositories/a/_manifests'))
  const { digest } = outside.blob('secret/x', 'key')
  files.link('a/b', digest)
  const data = files.path('blobs/sha256', digest.slice(7, 9), digest.slice(7), 'data')
  mkdirSync(dirname(data), { recursive: true })
  symlinkSync(outside.path('blobs/sha256', digest.slice(7, 9), digest.slice(7), 'data'), data)
  const pipe = files.blob('a/b', 'a pipe').digest
  const pipeAt = files.path('blobs/sha256', pipe.slice(7, 9), pipe.slice(7), 'data')
  rmSync(pipeAt)
  assert.equal(spawnSync('mkfifo', [pipeAt]).status, 0)
  // Links of distribution with another content.
  const [garbage, long, exchanged] = ['garbage', 'long', 'exchanged'].map((one) => files.blob('a/b', one).digest)
  files.link('a/b', garbage!, `${garbage}\n`)
  files.link('a/b', long!, 'x'.repeat(1 << 20))
  files.link('a/b', exchanged!, good.layer.digest)
  files.tag('a/b', 'traversal', 'sha256:../../../../etc/passwd')
  files.tag('a/b', 'lost', sha256('lost'))
  // Names.
  files.tag('a/b', '-bad', good.digest)
  files.image('Upper', 'upper')
  files.file(files.path('repositories/a/b/_layers/md5/00/link'), 'md5:00')
  writeFileSync(files.path('repositories/file'), '')
  const { told, manifests, tags, repositories } = await importInto(registry, files)
  const link = 'is a symbolic link, which is not followed'
  const noDirectory = 'is not a directory; links are not followed'
  assert.deepEqual(
    told,
    [
      `secret: the directory secret ${noDirectory}`,
      `a: the directory _manifests ${noDirectory}`,
      `blob ${digest}: the file data ${link}`,
      `blob ${pipe}: the file data is not a plain file`,
      `blob ${garbage} of a/b: its link is no digest: "${garbage}\\x0a"`,
      `blob ${long} of a/b: the file link has 1048576 bytes, more than 160`,
      `blob ${exchanged} of a/b: its link names ${good.layer.digest}`,
      'a/b:traversal: its link is no digest: "sha256:../../../../etc/passwd"',
      `a/b:lost: it points to ${sha256('lost')}, which the repository does not have`,
      'a/b:-bad: not a tag',
      'Upper: not the name of a repository',
      'a/b/_layers/md5/00: not a digest',
      `file: the directory file ${noDirectory}`,
    ].toSorted(),
  )
  assert.deepEqual([repositories, manifests.all, tags.all], [1, 1, 1])
  for (const path of [`secret/x/manifests/1`, `a/b/blobs/${digest}`, `a/b/blobs/${secret.layer.digest}`]) {
    assert.equal(await status(registry, path), 404, path)
  }
})

test('a link alone does not show a repository what another one has here: its bytes must be in the source (A22)', async () => {
  await using place = await places()
  const { files, registry } = place
  const secret = 'a secret of somebody else'
  const digest = await registry.blob('private/x', secret)
  files.link('open/y', digest)
  assert.deepEqual((await importInto(registry, files)).told, [`blob ${digest}: its bytes are missing`])
  files.bytes(secret.toUpperCase(), digest)
  const wrong = `its bytes have the digest ${sha256(secret.toUpperCase())}`
  assert.deepEqual((await importInto(registry, files)).told, [`blob ${digest}: ${wrong}`])
  assert.equal(await status(registry, `open/y/blobs/${digest}`), 404)
  files.bytes(secret, digest)
  const before = objectsOf(registry)
  const { told, blobs } = await importInto(registry, files)
  assert.deepEqual([told, blobs.new, objectsOf(registry) - before], [[], 0, 0], 'shown, and not copied')
  await assertBlob(registry, 'open/y', digest)
})

test('a tag that moved in the source moves here; one that somebody has set here stays, and is told', async () => {
  await using place = await places()
  const { files, registry } = place
  const [old, next] = [files.image('a/b', 'old', { tag: 'moved' }), files.image('a/b', 'next')]
  files.tag('a/b', 'kept', old.digest)
  await importInto(registry, files)
  const { digest: own } = await registry.image('a/b', 'pushed here', { tag: 'kept' })
  files.tag('a/b', 'moved', next.digest)
  const { told, tags } = await importInto(registry, files)
  assert.deepEqual(told, [`a/b:kept: was set here by anonymous, to ${own}; the source has ${old.digest}`])
  assert.deepEqual(tags, { all: 1, new: 1 })
  await assertManifest(registry, 'a/b', 'moved', next.digest)
  await assertManifest(registry, 'a/b', 'kept', own)
})

test('what a policy does not admit, and what has a former name, is skipped and told; a full quota ends the import', async () => {
  await using place = await places()
  const { files, registry } = place
  files.image('a/b', 'one', { tag: 'v1' })
  files.image('b/b', 'two', { tag: 'v1' })
  files.image('c/c', 'three', { tag: 'v1' })
  const { policies, renames, quotas } = registry.registry
  await registry.image('b/b', 'here', { tag: 'v1' })
  await renames.rename('b/b', 'b/c', { redirect: 60_000 })
  await policies.types('a/b', { block: ['*.image.config.*'] })
  const { told } = await importInto(registry, files)
  const words = [/^a\/b@sha256:\S+: policy \d+ of a\/b blocks the media type /, /^b\/b: repository b\/b was renamed/]
  for (const word of words)
    assert.ok(
      told.some((line) => word.test(line)),
      told.join('\n'),
    )
  assert.equal((await registry.request('GET', '/v2/c/c/manifests/v1')).status, 200)
  await quotas.set('**', { bytes: 1 })
  files.image('d/d', 'four', { tag: 'v1' })
  await assert.rejects(importInto(registry, files), { code: 'QUOTA_EXCEEDED' })
})

test('a tag that a policy keeps where it is stays, and is told; its manifest and other tags come', async () => {
  await using place = await places()
  const { files, registry } = place
  const old = files.image('a/b', 'old', { tag: 'v1' })
  await importInto(registry, files)
  await registry.registry.policies.immutable('a/*', 'v*')
  const next = files.image('a/b', 'next', { tag: 'v1' })
  files.tag('a/b', 'free', next.digest)
  files.image('z/z', 'later', { tag: 'v1' })
  const { told, tags } = await importInto(registry, files)
  assert.deepEqual(told, ['a/b:v1: a policy keeps it where it is here'])
  assert.deepEqual(tags, { all: 2, new: 2 })
  const digestOf = async (name: string) =>
    (await registry.request('HEAD', `/v2/${name}`)).headers['docker-content-digest']
  assert.deepEqual(
    [await digestOf('a/b/manifests/v1'), await digestOf('a/b/manifests/free')],
    [old.digest, next.digest],
  )
  assert.equal(await status(registry, 'z/z/manifests/v1'), 200, 'the import goes on')
})

test('a dry run says what would come, and what not, and changes nothing', async () => {
  await using place = await places()
  const { files, registry } = place
  const image = files.image('a/b', 'one', { tag: '1' })
  files.index('a/b', [image], 'all')
  const resized = { ...image.layer, size: 1 }
  const wrong = files.manifest('a/b', { schemaVersion: 2, config: image.config, layers: [resized] })
  const broken = files.image('a/b', 'broken')
  rmSync(files.path('repositories/a/b/_layers/sha256', broken.layer.digest.slice(7), 'link'))
  const dry = await importInto(registry, files, { dryRun: true })
  assert.equal(await status(registry, 'a/b/tags/list'), 404)
  assert.equal(objectsOf(registry), 0)
  const reason = `it needs the blob ${broken.layer.digest}: not linked in the repository`
  const { digest, size } = image.layer
  const size1 = `it gives a wrong size for ${digest}, which has ${size} bytes`
  assert.deepEqual(dry.told, [`a/b@${broken.digest}: ${reason}`, `a/b@${wrong.digest}: ${size1}`].toSorted())
  assert.deepEqual(await importInto(registry, files), dry)
})

test('an import that is broken off goes on with the next run, and copies nothing twice', async () => {
  await using place = await places()
  const { files, registry } = place
  for (const content of ['one', 'two', 'three']) files.image(`a/${content}`, content, { tag: '1' })
  const stop = new AbortController()
  const broken = importInto(registry, files, {
    signal: stop.signal,
    repository: async () => stop.abort(new Error('enough')),
  })
  await assert.rejects(broken, /enough/)
  assert.equal((await registry.request('GET', '/v2/_catalog')).json<{ repositories: [] }>().repositories.length, 1)
  const { manifests, blobs } = await importInto(registry, files)
  assert.deepEqual([manifests, blobs.all, blobs.new], [{ all: 3, new: 2 }, 6, 4])
})

test('a registry that begins to be served during an import takes the locks of uploads, and the import begins that blob again', async () => {
  await using place = await places()
  const { files, directory } = place
  const image = files.image('a/b', 'one', { tag: '1' })
  const target = join(directory, 'target')
  mkdirSync(target, { mode: 0o700 })
  const meta = openSqliteMeta({ path: join(target, 'registry.db') })
  const objects = createFileObjects(join(target, 'objects'))
  const lease = 3_600_000
  const uploads = createUploads({ meta, objects, clock: systemClock, lease, grace: 0 })
  let opened = 0
  const open: typeof uploads.open = async (upload) => {
    const session = await uploads.open(upload)
    if (opened++ === 0) await meta.freeUploads()
    return session
  }
  try {
    const { manifests, skipped } = await importFrom(
      { meta, objects, lease, prefixes: [], uploads: { ...uploads, open } },
      files.root,
    )
    assert.deepEqual([manifests.new, skipped], [1, 0])
    // Two blobs, of which one or, when both were at it, two were begun again.
    assert.ok(opened > 2)
    assert.equal((await meta.findManifest('a/b', { tag: '1' }))?.digest, image.digest)
  } finally {
    await meta.close()
  }
})

test('a directory without a registry is refused by name; one with an empty registry brings nothing', async () => {
  await using place = await places()
  const { files, registry, directory } = place
  for (const wrong of [files.path(), join(directory, 'nothing')]) {
    await assert.rejects(
      importInto(registry, { ...files, root: wrong }),
      (error) =>
        isBaleError(error, 'INVALID_ARGUMENT') && error.message.startsWith(`${wrong} has no docker/registry/v2`),
    )
  }
  const { repositories, told } = await importInto(registry, files)
  assert.deepEqual([repositories, told], [0, []])
})
