/** What must hold when stored bytes are lost or changed: pushes heal, checks tell, backups can be served. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, open, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sha256, startRegistry, type TestRegistry } from '../../test/kit/registry-client.ts'
import { openRegistryAdmin, type RegistryOptions } from './index.ts'

async function temporaryDirectory() {
  const directory = await mkdtemp(join(tmpdir(), 'bale-damage-'))
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) }
}

/** Paths of all objects with so many bytes. */
async function objectsOf(directory: string, size: number): Promise<string[]> {
  const entries = await readdir(join(directory, 'objects'), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))
  return files.filter((_, index) => sizes[index] === size)
}

async function flipByte(path: string): Promise<void> {
  await using file = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, 100)
  byte[0]! ^= 1
  await file.write(byte, 0, 1, 100)
}

const DAMAGES: [string, (path: string) => Promise<void>][] = [
  ['missing', (path) => rm(path)],
  ['wrong size', (path) => truncate(path, 500)],
  ['wrong content', flipByte],
]

const CONTENT = randomBytes(1234)
const get = async (registry: TestRegistry, digest: string, method = 'GET') =>
  await registry.request(method, `/v2/a/b/blobs/${digest}`)

/** A registry whose reports are collected. */
async function reporting(options: Partial<RegistryOptions> = {}) {
  const reports: string[] = []
  const registry = await startRegistry({ ...options, report: ({ message }) => void reports.push(message) })
  return { registry, reports, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() }
}

for (const [problem, damage] of DAMAGES) {
  test(`a blob whose object is damaged (${problem}) is whole after the next push of the same bytes`, async () => {
    await using under = await reporting()
    const { registry, reports } = under
    const digest = await registry.blob('a/b', CONTENT)
    const [path] = await objectsOf(registry.directory, CONTENT.length)
    await damage(path!)
    if (problem !== 'wrong content') {
      for (const method of ['HEAD', 'GET', 'HEAD']) assert.equal((await get(registry, digest, method)).status, 404)
      assert.equal(reports.length, 1, 'the operator is told once')
      assert.ok(reports[0]!.includes(digest))
      const mount = await registry.request('POST', `/v2/c/d/blobs/uploads/?mount=${digest}&from=a/b`)
      assert.equal(mount.status, 202, 'nor is it mounted')
    }
    await registry.blob('a/b', CONTENT)
    assert.ok((await get(registry, digest)).body.equals(CONTENT))
    await registry.registry.collectGarbage({ grace: 0 })
    assert.ok((await get(registry, digest)).body.equals(CONTENT))
    assert.equal((await objectsOf(registry.directory, CONTENT.length)).length, 1, 'the old object goes')
  })

  test(`a check finds the damaged object (${problem}) and what needs it; repairing lets the next push bring it again`, async () => {
    await using registry = await startRegistry()
    const image = await registry.image('a/b', 'image', { tag: 'one' })
    const digest = await registry.blob('c/d', CONTENT)
    const layer = Buffer.byteLength('layer of image')
    await using admin = await openRegistryAdmin({ directory: registry.directory })
    assert.deepEqual(await admin.check(), {
      blobs: 3,
      bytes: CONTENT.length + layer + (await sizeOf(registry, image.config)),
      damaged: [],
      regained: 0,
      unknown: { objects: 0, bytes: 0 },
      miscounted: [],
    })
    await damage((await objectsOf(registry.directory, CONTENT.length))[0]!)
    if (problem === 'missing') await damage((await objectsOf(registry.directory, layer))[0]!)
    const needs = {
      digest: image.layer,
      size: layer,
      problem,
      manifests: [{ repository: 'a/b', manifest: image.digest }],
    }
    const expected = [
      ...(problem === 'missing' ? [needs] : []),
      { digest, size: CONTENT.length, problem, manifests: [] },
    ]
    assert.deepEqual((await admin.check()).damaged, expected)
    assert.deepEqual((await admin.check({ quick: true })).damaged, problem === 'wrong content' ? [] : expected)
    assert.deepEqual((await admin.check({ repair: true })).damaged, expected)
    assert.equal((await registry.request('HEAD', `/v2/c/d/blobs/${digest}`)).status, 404)
    await registry.blob('c/d', CONTENT)
    await registry.blob('a/b', 'layer of image')
    assert.deepEqual((await admin.check()).damaged, [])
    await registry.registry.collectGarbage({ grace: 0 })
    assert.equal((await registry.request('GET', `/v2/a/b/blobs/${image.layer}`)).body.toString(), 'layer of image')
  })
}

const sizeOf = async (registry: TestRegistry, digest: string) => (await get(registry, digest)).body.length

test('what was thought lost and is there again is shown again; bytes that nothing knows go after two days', async () => {
  await using registry = await startRegistry()
  const digest = await registry.blob('a/b', CONTENT)
  await using admin = await openRegistryAdmin({ directory: registry.directory })
  const [path] = await objectsOf(registry.directory, CONTENT.length)
  await rm(path!)
  assert.equal((await admin.check({ repair: true })).damaged.length, 1)
  await writeFile(path!, CONTENT)
  assert.equal((await admin.check()).regained, 1)
  assert.equal((await get(registry, digest)).status, 404, 'a check alone changes nothing')
  assert.equal((await admin.check({ repair: true })).regained, 1)
  await registry.registry.collectGarbage({ grace: 0 })
  assert.ok((await get(registry, digest)).body.equals(CONTENT))
  const unknown = join(registry.directory, 'objects', '00')
  await mkdir(unknown, { recursive: true })
  const [young, old] = ['0'.repeat(32), `${'0'.repeat(31)}1`].map((key) => join(unknown, key)) as [string, string]
  for (const file of [young, old]) await writeFile(file, 'nobody knows')
  await utimes(old, new Date(), new Date(Date.now() - 3 * 86_400_000))
  assert.deepEqual((await admin.check({ repair: true })).unknown, { objects: 2, bytes: 24 })
  assert.deepEqual((await admin.check()).unknown, { objects: 1, bytes: 12 })
})

test('bytes that were read wrongly for a while are shown again by a repair, and stay', async () => {
  await using registry = await startRegistry()
  const digest = await registry.blob('a/b', CONTENT)
  await using admin = await openRegistryAdmin({ directory: registry.directory })
  const [path] = await objectsOf(registry.directory, CONTENT.length)
  await flipByte(path!)
  assert.equal((await admin.check({ repair: true })).damaged.length, 1)
  await flipByte(path!)
  assert.equal((await admin.check({ repair: true })).regained, 1)
  await registry.registry.collectGarbage({ grace: 0 })
  assert.ok((await get(registry, digest)).body.equals(CONTENT))
})

test('a backup of a served registry is a registry, without its secret; again, it takes what is new', async () => {
  await using under = await temporaryDirectory()
  await using registry = await startRegistry()
  const target = join(under.directory, 'backup')
  const image = await registry.image('a/b', 'one', { tag: '1' })
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  await registry.request('PATCH', location, { body: 'unfinished' })
  await using admin = await openRegistryAdmin({ directory: registry.directory })
  const first = await admin.backUp(target)
  assert.deepEqual([first.blobs, first.copied, first.damaged], [2, 2, []])
  assert.deepEqual((await readdir(target)).toSorted(), ['objects', 'registry.db'])
  assert.equal((await stat(join(target, 'registry.db'))).mode & 0o777, 0o600)
  await mkdir(join(under.directory, 'open'), { mode: 0o777 })
  await chmod(join(under.directory, 'open'), 0o1777)
  await assert.rejects(admin.backUp(join(under.directory, 'open')), { code: 'DENIED' })
  assert.deepEqual(await readdir(join(under.directory, 'open')), [])
  const digest = await registry.blob('a/b', CONTENT)
  const second = await admin.backUp(target)
  assert.deepEqual([second.blobs, second.copied], [3, 1])
  await assert.rejects(admin.backUp(join(registry.directory, 'objects', 'x')), { code: 'INVALID_ARGUMENT' })
  await using restored = await startRegistry({ directory: target })
  assert.equal((await restored.request('GET', '/v2/a/b/manifests/1')).body.toString(), image.bytes.toString())
  assert.ok((await get(restored, digest)).body.equals(CONTENT))
  assert.equal((await restored.request('GET', location)).status, 404)
  await using copy = await openRegistryAdmin({ directory: target })
  assert.deepEqual((await copy.check()).damaged, [])
})

test('what is condemned while a backup runs is in it, and goes afterwards', async () => {
  await using under = await temporaryDirectory()
  await using registry = await startRegistry({ lease: 0 })
  await registry.blob('a/b', CONTENT)
  await using admin = await openRegistryAdmin({ directory: registry.directory })
  const copying = admin.backUp(join(under.directory, 'backup'))
  await registry.registry.collectGarbage({ grace: 0 })
  await copying
  await using copy = await openRegistryAdmin({ directory: join(under.directory, 'backup') })
  assert.deepEqual((await copy.check()).damaged, [])
  await registry.registry.collectGarbage({ grace: 0 })
  assert.deepEqual(await objectsOf(registry.directory, CONTENT.length), [])
})

test('bytes that the registry has lost are named by a backup, and are not in it', async () => {
  await using under = await temporaryDirectory()
  await using registry = await startRegistry()
  const digest = await registry.blob('a/b', CONTENT)
  await flipByte((await objectsOf(registry.directory, CONTENT.length))[0]!)
  await using admin = await openRegistryAdmin({ directory: registry.directory })
  const target = join(under.directory, 'backup')
  assert.deepEqual((await admin.backUp(target)).damaged, [digest])
  assert.deepEqual(await objectsOf(target, CONTENT.length), [])
})

test('on a full disk uploads are refused while there is room to delete and collect', async (t) => {
  await using place = await temporaryDirectory()
  const disk = join(place.directory, 'disk')
  await mkdir(disk)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0700', 'tmpfs', disk]).status !== 0) {
    return t.skip('mounting a small tmpfs needs root')
  }
  try {
    await using under = await reporting({ directory: join(disk, 'registry') })
    const { registry, reports } = under
    const pushed: string[] = []
    for (let status = 201; status === 201; ) {
      const content = randomBytes(1_000_000)
      const answer = await registry.request('POST', `/v2/a/b/blobs/uploads/?digest=${sha256(content)}`, {
        body: content,
      })
      status = answer.status
      if (status === 201) pushed.push(sha256(content))
      else assert.deepEqual([status, answer.codes()], [507, ['UNKNOWN']])
    }
    assert.ok(pushed.length > 15, String(pushed.length))
    assert.doesNotMatch(reports.join(), /suppressed/)
    assert.match(reports.join(), /uploads are refused/)
    const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location
    if (location !== undefined) await registry.request('PATCH', location, { body: 'x'.repeat(10_000) })
    // Somebody else takes what was left.
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'other')}`, 'bs=64k'])
    await rm(join(disk, 'other'))
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'other')}`, 'bs=1k', 'count=600'])
    for (const digest of pushed.slice(0, 5)) {
      assert.equal((await registry.request('DELETE', `/v2/a/b/blobs/${digest}`)).status, 202)
    }
    const collected = await registry.registry.collectGarbage({ grace: 0, uploadsOlderThan: 0 })
    assert.ok(collected.objects >= 5, String(collected.objects))
    await registry.blob('a/b', randomBytes(1_000_000))
    assert.equal((await get(registry, pushed.at(-1)!)).status, 200)
  } finally {
    spawnSync('umount', [disk])
  }
})

test('a reserve is given up on a disk that somebody else filled to the last byte', async (t) => {
  await using place = await temporaryDirectory()
  const disk = join(place.directory, 'disk')
  await mkdir(disk)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=96m,mode=0700', 'tmpfs', disk]).status !== 0) {
    return t.skip('mounting a small tmpfs needs root')
  }
  try {
    await using registry = await startRegistry({ directory: join(disk, 'registry') })
    const digests = await Promise.all(Array.from({ length: 20 }, () => registry.blob('a/b', randomBytes(100_000))))
    assert.equal((await stat(join(disk, 'registry', 'reserve'))).size, 4 * 1024 * 1024)
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'other')}`, 'bs=4k'])
    assert.equal((await registry.request('POST', '/v2/a/b/blobs/uploads/', { body: '' })).status >= 500, true)
    for (const digest of digests) {
      assert.equal((await registry.request('DELETE', `/v2/a/b/blobs/${digest}`)).status, 202)
    }
    assert.equal((await registry.registry.collectGarbage({ grace: 0 })).objects, 20)
    await rm(join(disk, 'other'))
    await registry.registry.collectGarbage()
    assert.equal((await stat(join(disk, 'registry', 'reserve'))).size, 4 * 1024 * 1024, 'it is taken again')
    await chmod(disk, 0o700)
  } finally {
    spawnSync('umount', [disk])
  }
})
