import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { BaleError } from '#base'
import { cannotRunContainers } from '../../test/kit/busybox-rootfs.ts'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import { createEngine, readConfig } from './index.ts'

const DEAD = JSON.stringify({ pid: 1, startTime: 1, boot: 'an earlier one' })

test('what killed processes left in any room goes by one collection, and what lives stays', {
  skip: cannotRunContainers(),
}, async () => {
  await using directory = await temporaryDirectory()
  const [root, run] = [join(directory.path, 'root'), join(directory.path, 'run')]
  await using engine = createEngine({ config: readConfig({ root, run }) })
  await engine.containers.list()
  const [id, stepId] = ['c'.repeat(64), 'd'.repeat(64)]
  const places = {
    containers: join(root, 'containers', id),
    'build steps': join(run, 'steps', stepId),
    builds: join(root, 'tmp', `build-${'b'.repeat(32)}`),
    store: join(root, 'tmp', `${'a'.repeat(16)}-left`),
  }
  for (const place of Object.values(places)) mkdirSync(place, { recursive: true })
  writeFileSync(join(places['build steps'], 'owner.json'), DEAD)
  const cache = () => {
    using database = new DatabaseSync(join(root, 'bale.db'))
    return database.prepare('SELECT key FROM cache').all().length
  }
  {
    using database = new DatabaseSync(join(root, 'bale.db'))
    database.exec(`INSERT INTO cache VALUES ('newer', 0, 1, 1, '{"version":99}', '[]'),
      ('readable', 0, 1, 1, '{"created":"2024-01-02T03:04:05Z"}', '[]')`)
  }
  const { removed } = await engine.system.gc()
  assert.ok(removed >= 3)
  for (const [room, place] of Object.entries(places)) assert.equal(existsSync(place), false, room)
  assert.equal(cache(), 1)
  assert.deepEqual(await engine.system.gc(), { removed: 0, freed: 0 })
})

test('a room that cannot be recovered does not stop the others, and is named', {
  skip: cannotRunContainers(),
}, async () => {
  await using directory = await temporaryDirectory()
  const [root, run] = [join(directory.path, 'root'), join(directory.path, 'run')]
  await using engine = createEngine({ config: readConfig({ root, run }) })
  await engine.containers.list()
  const left = join(root, 'tmp', `${'a'.repeat(16)}-left`)
  mkdirSync(left)
  // Two directories that cannot be listed.
  for (const name of ['steps', 'builds']) {
    rmSync(join(run, name), { recursive: true, force: true })
    writeFileSync(join(run, name), '')
  }
  await assert.rejects(engine.system.gc(), (error: BaleError) => {
    assert.equal(error.code, 'RECOVERY_FAILED')
    assert.deepEqual(error.details['rooms'], ['build steps', 'builds'])
    assert.match(error.message, /build steps: ENOTDIR.*; builds: ENOTDIR/)
    return true
  })
  assert.equal(existsSync(left), false, 'the store comes last')
  const kinds: string[] = []
  await assert.rejects(
    async () => {
      for await (const { kind } of await engine.system.prune()) kinds.push(kind)
    },
    { code: 'RECOVERY_FAILED' },
  )
  assert.deepEqual(kinds, ['containers', 'networks', 'images', 'cache'], 'a prune of everything goes on')
})

test('the first command on containers after a boot removes what was left, later ones do not look', {
  skip: cannotRunContainers(),
}, async () => {
  await using directory = await temporaryDirectory()
  const [root, run] = [join(directory.path, 'root'), join(directory.path, 'run')]
  const list = async () => {
    await using engine = createEngine({ config: readConfig({ root, run }) })
    await engine.containers.list()
  }
  await list()
  const places = {
    containers: join(root, 'containers', 'c'.repeat(64)),
    builds: join(root, 'tmp', `build-${'b'.repeat(32)}`),
  }
  const partial = join(root, 'tmp', `sha256-${'a'.repeat(64)}.partial`)
  for (const place of Object.values(places)) mkdirSync(place, { recursive: true })
  writeFileSync(partial, 'half of a blob')
  await list()
  for (const [room, place] of Object.entries(places)) assert.equal(existsSync(place), true, room)
  // What a boot leaves of the run directory.
  rmSync(run, { recursive: true })
  await list()
  for (const [room, place] of Object.entries(places)) assert.equal(existsSync(place), false, room)
  assert.equal(existsSync(partial), true, 'the next pull continues it')
})

test('a container that cannot be recovered does not stop the others', { skip: cannotRunContainers() }, async () => {
  await using directory = await temporaryDirectory()
  const [root, run] = [join(directory.path, 'root'), join(directory.path, 'run')]
  await using engine = createEngine({ config: readConfig({ root, run }) })
  await engine.containers.list()
  const [stuck, ...others] = ['b', 'a', 'c'].map((letter) => letter.repeat(64)) as [string, ...string[]]
  for (const id of [stuck, ...others]) mkdirSync(join(root, 'containers', id), { recursive: true })
  // The claim of whoever starts it cannot be read.
  mkdirSync(join(run, 'c', stuck.slice(0, 16), 'starting.json'), { recursive: true })
  await assert.rejects(engine.containers.prune(), { code: 'RECOVERY_FAILED', message: /containers: EISDIR/ })
  assert.equal(existsSync(join(root, 'containers', stuck)), true)
  for (const id of others) assert.equal(existsSync(join(root, 'containers', id)), false)
})

test('a recovery that fails after a boot is warned of once, and the command does its work', {
  skip: cannotRunContainers(),
}, async () => {
  await using directory = await temporaryDirectory()
  const [root, run] = [join(directory.path, 'root'), join(directory.path, 'run')]
  const warnings: string[] = []
  const log = { debug: () => undefined, warn: (message: string) => warnings.push(message) }
  mkdirSync(run)
  writeFileSync(join(run, 'steps'), '')
  for (let command = 0; command < 2; command++) {
    await using engine = createEngine({ config: readConfig({ root, run }), log })
    assert.deepEqual(await engine.containers.list(), [])
  }
  assert.match(warnings.join('|'), /^not all leftovers of killed processes were removed: build steps: [^|]*$/)
})
