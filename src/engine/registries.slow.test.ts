import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isBaleError, type ProgressEvent } from '#base'
import { statusLines } from '#docker'
import { ann, startDockerRegistry, withoutDockerRegistry } from '../../test/kit/docker-registry.ts'
import { readConfig } from './context/config.ts'
import { createEngine, type Engine } from './create-engine.ts'

const skip = withoutDockerRegistry()

interface TestMachine extends AsyncDisposable {
  engine: Engine
  directory: string
  /** Of the last operation. */
  events: ProgressEvent[]
  report: (event: ProgressEvent) => void
}

/** A store and a docker configuration of its own, or those of another one, as a second process has them. */
function machine(shared?: TestMachine): TestMachine {
  const directory = shared?.directory ?? mkdtempSync(join(tmpdir(), 'bale-engine-'))
  const config = {
    ...readConfig({
      root: join(directory, 'root'),
      run: join(directory, 'run'),
      dockerConfigDirectory: join(directory, 'docker'),
    }),
    authFiles: [],
  }
  const engine = createEngine({ config })
  const events: ProgressEvent[] = []
  return {
    engine,
    directory,
    events,
    report: (event) => void events.push(event),
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]()
      if (!shared) rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A tar of one file, in the machine's directory. */
function tarOf(directory: string, content: string): string {
  const tree = mkdtempSync(join(directory, 'tree-'))
  mkdirSync(join(tree, 'etc'))
  writeFileSync(join(tree, 'etc/content'), content)
  const tar = `${tree}.tar`
  execFileSync('tar', ['-C', tree, '-cf', tar, '.'])
  return tar
}

const statuses = (events: ProgressEvent[]) =>
  events.flatMap(statusLines).flatMap(({ id, status }) => (id === undefined ? [] : [status]))
const messages = (events: ProgressEvent[]) =>
  events.flatMap(statusLines).flatMap(({ id, status }) => (id === undefined ? [status] : []))

async function push(one: TestMachine, name: string) {
  one.events.length = 0
  const [pushed] = await one.engine.images.push(name, { progress: one.report })
  return pushed!
}

async function pull(one: TestMachine, name: string, options: { platform?: string } = {}) {
  one.events.length = 0
  const [pulled] = await one.engine.images.pull(name, { ...options, progress: one.report })
  return pulled!
}

test('an image made here is compressed once, pushed, pulled elsewhere, and pushed again with the same digest', {
  skip,
}, async () => {
  await using registry = await startDockerRegistry()
  await using here = machine()
  const name = `${registry.host}/team/web:1`
  const content = 'x'.repeat(6_000_000)
  const { id } = await here.engine.images.import(tarOf(here.directory, content), { name })
  const pushed = await push(here, name)
  assert.ok(statuses(here.events).includes('Compressing'))
  assert.ok(statuses(here.events).includes('Pushed'))
  assert.deepEqual(messages(here.events), [
    `The push refers to repository [${registry.host}/team/web]`,
    `1: digest: ${pushed.digest} size: ${pushed.size}`,
  ])

  assert.equal((await push(here, name)).digest, pushed.digest)
  assert.deepEqual(statuses(here.events), ['Layer already exists'])

  // Under another name: neither compressed nor sent again.
  const other = `${registry.host}/team/other:latest`
  await here.engine.images.tag(id, other)
  assert.equal((await push(here, other)).digest, pushed.digest)
  assert.deepEqual(statuses(here.events).slice(-1), ['Mounted from team/web'])
  assert.ok(!statuses(here.events).includes('Compressing'))

  await using there = machine()
  const pulled = await pull(there, name)
  assert.deepEqual(pulled, { name, digest: pushed.digest, unchanged: false })
  assert.match(
    messages(there.events).join('\n'),
    /1: Pulling from team\/web\nDigest: sha256:.*\nStatus: Downloaded newer image for/,
  )
  assert.equal((await pull(there, name)).unchanged, true)
  assert.match(messages(there.events).join('\n'), /Status: Image is up to date for/)
  const copy = `${registry.host}/copy/web:2`
  await there.engine.images.tag(name, copy)
  assert.equal((await push(there, copy)).digest, pushed.digest)
  assert.deepEqual((await there.engine.system.check()).length, 0)
  assert.deepEqual(await there.engine.registries.tags(`${registry.host}/copy/web`), ['2'])
})

test('a pull by digest needs no tag, and -a fetches every tag', { skip }, async () => {
  await using registry = await startDockerRegistry()
  await using here = machine()
  const repository = `${registry.host}/many`
  for (const tag of ['a', 'b']) {
    await here.engine.images.import(tarOf(here.directory, tag), { name: `${repository}:${tag}` })
  }
  const pushed = await here.engine.images.push(repository, { allTags: true })
  assert.deepEqual(
    pushed.map((one) => one.name),
    [`${repository}:a`, `${repository}:b`],
  )
  await using there = machine()
  const byDigest = await pull(there, `${repository}@${pushed[0]!.digest}`)
  assert.equal(byDigest.digest, pushed[0]!.digest)
  assert.equal((await pull(there, `${repository}@${pushed[0]!.digest}`)).unchanged, true)
  const all = await there.engine.images.pull(repository, { allTags: true })
  assert.deepEqual(
    all.map((one) => [one.name, one.digest]),
    pushed.map((one) => [one.name, one.digest]),
  )
  await assert.rejects(there.engine.images.pull(`${repository}:a`, { allTags: true }), { code: 'INVALID_ARGUMENT' })
})

test('two pulls of one image at once share one download, and both succeed', { skip }, async () => {
  await using registry = await startDockerRegistry()
  await using here = machine()
  const name = `${registry.host}/team/web:1`
  await here.engine.images.import(tarOf(here.directory, randomBytes(9_000_000).toString('hex')), { name })
  await push(here, name)
  await using there = machine()
  await using second = machine(there)
  const { layers } = (await here.engine.registries.manifest(name)).document as { layers: { digest: string }[] }
  const pulled = await Promise.all([pull(there, name), pull(second, name)])
  assert.equal(pulled[0].digest, pulled[1].digest)
  const fetched = registry.requests().filter((line) => line.endsWith(`/blobs/${layers[0]!.digest}`))
  assert.deepEqual(fetched.filter((line) => line.startsWith('GET')).length, 1)
  assert.deepEqual(await there.engine.system.check(), [])
})

test('a login is kept only after the registry took it; push needs it; logout forgets it', { skip }, async () => {
  await using registry = await startDockerRegistry({ login: true })
  await using here = machine()
  const file = join(here.directory, 'docker/config.json')
  const name = `${registry.host}/team/web:1`
  await here.engine.images.import(tarOf(here.directory, 'x'), { name })
  await assert.rejects(here.engine.images.push(name), {
    code: 'UNAUTHORIZED',
    next: { act: 'login', registry: registry.host, because: 'unknown' },
  })
  await assert.rejects(here.engine.registries.login(registry.host, { username: 'ann', password: 'wrong' }), {
    code: 'UNAUTHORIZED',
  })
  assert.equal(existsSync(file), false)
  assert.deepEqual(await here.engine.registries.login(`http://${registry.host}/v2/`, ann), {
    registry: registry.host,
    storedIn: { kind: 'file', path: file },
  })
  const { auths } = JSON.parse(readFileSync(file, 'utf8')) as { auths: Record<string, { auth: string }> }
  assert.equal(Buffer.from(auths[registry.host]!.auth, 'base64').toString(), 'ann:s3cret:word')
  for (const server of [registry.host, `http://${registry.host}/v2/team/`]) {
    assert.deepEqual(await here.engine.registries.checkLogin(server), { registry: registry.host })
  }
  await push(here, name)
  assert.deepEqual(await here.engine.registries.logout(registry.host), { registry: registry.host, known: true })
  assert.deepEqual(await here.engine.registries.logout(registry.host), { registry: registry.host, known: false })
  await assert.rejects(here.engine.images.pull(name), { code: 'UNAUTHORIZED' })
  for (const server of ['https://', 'x y']) {
    await assert.rejects(here.engine.registries.login(server, ann), { code: 'INVALID_ARGUMENT' }, server)
  }
})

test('a list of two imports is pushed, inspected, and pulled for one platform; none fitting names those on offer', {
  skip,
}, async () => {
  await using registry = await startDockerRegistry()
  await using here = machine()
  const repository = `${registry.host}/team/multi`
  for (const architecture of ['amd64', 'arm64']) {
    const name = `${repository}:${architecture}`
    await here.engine.images.import(tarOf(here.directory, architecture), { name, platform: `linux/${architecture}` })
  }
  // One was pushed and is not here any more, the other was never pushed.
  await push(here, `${repository}:amd64`)
  await here.engine.images.remove(`${repository}:amd64`)
  await here.engine.registries.createList(`${repository}:all`, [`${repository}:amd64`])
  await assert.rejects(here.engine.registries.createList(`${repository}:all`, [`${repository}:amd64`]), {
    code: 'CONFLICT',
    next: { act: 'amend-list', name: `${repository}:all` },
  })
  await here.engine.registries.addToList(`${repository}:all`, [`${repository}:arm64`])
  await here.engine.registries.annotateList(`${repository}:all`, `${repository}:arm64`, { variant: 'v9' })
  await assert.rejects(here.engine.registries.annotateList(`${repository}:all`, `${repository}:no`, { os: 'linux' }), {
    code: 'MANIFEST_NOT_FOUND',
  })
  const { digest } = await here.engine.registries.pushList(`${repository}:all`, { purge: true })
  await assert.rejects(here.engine.registries.pushList(`${repository}:all`), { code: 'MANIFEST_NOT_FOUND' })

  await using there = machine()
  const found = await there.engine.registries.manifest(`${repository}:all`, { verbose: true })
  assert.equal(found.descriptor.digest, digest)
  assert.doesNotMatch(JSON.stringify(found.document), /io\.bale/, 'notes of the pushing machine stay there')
  const platforms = (found.document['manifests'] as { platform: unknown }[]).map(({ platform }) => platform)
  assert.deepEqual(platforms, [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64', variant: 'v9' },
  ])
  assert.equal(found.images?.length, 2)
  assert.ok('layers' in found.images![1]!.document)

  assert.equal((await pull(there, `${repository}:all`, { platform: 'linux/arm64/v9' })).digest, digest)
  await assert.rejects(pull(there, `${repository}:all`, { platform: 'linux/s390x' }), (error) => {
    assert.ok(isBaleError(error, 'NO_MATCHING_PLATFORM'))
    assert.match(error.message, /linux\/amd64.*linux\/arm64/)
    return true
  })
  // What the registry lacks is shown from the store, with a word about it.
  there.events.length = 0
  await there.engine.images.tag(`${repository}:all`, `${registry.host}/unknown/x:1`)
  const local = await there.engine.registries.manifest(`${registry.host}/unknown/x:1`, { progress: there.report })
  assert.ok('layers' in local.document)
  assert.deepEqual(
    there.events.map((event) => event.kind),
    ['warning'],
  )
  await assert.rejects(there.engine.registries.manifest(`${registry.host}/unknown/y:1`), { code: 'MANIFEST_NOT_FOUND' })
})

test('a list has an image once: amended with a tag that moved it gets the new one; platforms stay as written', async () => {
  await using here = machine()
  const repository = 'localhost:9/team/multi'
  const import_ = (text: string, platform: string) =>
    here.engine.images.import(tarOf(here.directory, text), { name: `${repository}:arm`, platform })
  const members = async () => {
    const { document } = await here.engine.registries.manifest(`${repository}:all`)
    return document['manifests'] as { digest: string; platform: object }[]
  }
  await import_('old', 'linux/arm64')
  await here.engine.registries.createList(`${repository}:all`, [`${repository}:arm`])
  const [old] = await members()
  await import_('new', 'linux/arm64')
  await here.engine.registries.createList(`${repository}:all`, [`${repository}:arm`], { amend: true })
  const [moved, ...others] = await members()
  assert.deepEqual(others, [])
  assert.notEqual(moved!.digest, old!.digest)
  const annotated = async (change: object) => {
    await here.engine.registries.annotateList(`${repository}:all`, `${repository}:arm`, change)
    return (await members())[0]!.platform
  }
  const arm64 = { os: 'linux', architecture: 'arm64' }
  assert.deepEqual(await annotated({ variant: 'v8' }), { ...arm64, variant: 'v8' })
  const windows = { 'os.version': '10.0.1', 'os.features': ['win32k'] }
  const more = { osVersion: '10.0.1', osFeatures: ['win32k'] }
  assert.deepEqual(await annotated(more), { ...arm64, variant: 'v8', ...windows })
  assert.deepEqual(await annotated({ variant: '', osVersion: '', osFeatures: [''] }), arm64)
})

test('pushing a missing name, or a digest, is refused with docker’s message', async () => {
  await using here = machine()
  await assert.rejects(here.engine.images.push('localhost:9/no:1'), {
    code: 'IMAGE_NOT_FOUND',
    message: 'An image does not exist locally with the tag: localhost:9/no',
  })
  await assert.rejects(
    here.engine.images.push(`localhost:9/no@sha256:${'0'.repeat(64)}`),
    /cannot push a digest reference/,
  )
})
