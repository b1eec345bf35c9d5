import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
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
  await engine.images.list()
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
