import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import { createEngine, readConfig } from './index.ts'

test('an engine opens and creates nothing before its first operation', async () => {
  await using directory = await temporaryDirectory()
  const root = join(directory.path, 'root')
  {
    await using _engine = createEngine({ config: readConfig({ root, run: join(directory.path, 'run') }) })
  }
  assert.equal(existsSync(root), false)
})

test('the nouns of an engine hold their operations, each of which fails as a promise', async () => {
  await using directory = await temporaryDirectory()
  const config = readConfig({ root: join(directory.path, 'root'), run: join(directory.path, 'run') })
  await using engine = createEngine({ config })
  // A noun may be passed through promises: it is none itself.
  const images = await engine.images
  assert.deepEqual(await images.list(), [])
  await assert.rejects(images.inspect('debian:12'), { code: 'IMAGE_NOT_FOUND' })
  await assert.rejects(engine.volumes.inspect('data'), { code: 'VOLUME_NOT_FOUND' })
})

test('the environment has what the caller set, and nothing that every object inherits', () => {
  const { environment } = readConfig()
  assert.equal(environment['PATH'], process.env['PATH'])
  // `-e constructor` and `--build-arg constructor` take the caller's value.
  for (const name of ['constructor', 'toString', '__proto__']) assert.equal(environment[name], undefined)
})
