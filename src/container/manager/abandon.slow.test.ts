import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
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
  const { cleanupContainer } = await import('./finalize.ts')
  const { root, run } = machine.store
  const move = async (from: string, to: string) => {
    for (const directory of [root, run]) await rename(`${directory}${from}`, `${directory}${to}`)
  }
  // Before it begins, at each of its steps as far as moments can tell, and while it waits.
  for (const delay of [0, 1, 2, 3, 5, 8, 13, 21, 34, 150]) {
    const { id } = await machine.run(machine.options(['true']))
    const cleaning = cleanupContainer(machine.machinery, id, { restart: async () => undefined, linger: 300 })
    await sleep(delay)
    // Out of its sight; the test's own end needs them.
    await move('', '.away')
    // It may fail, but not do that.
    await Promise.allSettled([cleaning])
    const made = [root, run].filter(existsSync)
    for (const directory of made) await rm(directory, { recursive: true })
    await move('.away', '')
    assert.deepEqual(made, [], `${delay} ms after it began`)
  }
})
