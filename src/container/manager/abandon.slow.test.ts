import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { cannotRunContainers } from '../../../test/kit/busybox-rootfs.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { newId } from '../state/machinery.ts'
import { abandonContainer } from './abandon.ts'

const skip = cannotRunContainers()
const path = '/usr/sbin:/usr/bin:/sbin:/bin'

test('clean-ups at once, of containers whose store is gone, make nothing of it again', { skip }, async () => {
  await using place = await temporaryDirectory('bale-gone')
  const run = join(place.path, 'store', 'run')
  const scratch = () => readdirSync(tmpdir()).filter((name) => name.startsWith('bale-abandoned-'))
  const before = scratch()
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 6 }, () => abandonContainer({ run, path }, newId())))
    assert.ok(!existsSync(join(place.path, 'store')), `round ${round}`)
  }
  assert.deepEqual(
    scratch().filter((name) => !before.includes(name)),
    [],
  )
})

test('a clean-up whose store is removed while it is at work makes nothing of it again', { skip }, async () => {
  const { containerMachine } = await import('../../../test/kit/container-machine.ts')
  await using machine = await containerMachine()
  const { id } = await machine.run(machine.options(['true']))
  const { cleanupContainer } = await import('./finalize.ts')
  const cleaning = cleanupContainer(machine.machinery, id, { restart: async () => undefined, linger: 300 })
  await new Promise((resolve) => setTimeout(resolve, 150))
  const { root, run } = machine.store
  // Out of its sight; the test's own end needs them.
  for (const directory of [root, run]) await rename(directory, `${directory}.away`)
  await cleaning
  assert.deepEqual([existsSync(root), existsSync(run)], [false, false])
  for (const directory of [root, run]) await rename(`${directory}.away`, directory)
})
