import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cannotRunContainers } from '../../../test/kit/busybox-rootfs.ts'
import { containerMachine } from '../../../test/kit/container-machine.ts'
import { pruneVolumes, removeVolume } from './volumes.ts'

const skip = cannotRunContainers()

test('a prune passes over volumes that are mounted or removed while it works', { skip }, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  const { volumes } = machine.containers
  const [mounted, removed, idle] = [await volumes.create({}), await volumes.create({}), await volumes.create({})]
  const outdated = {
    ...machinery.records.volumes,
    async list() {
      const listed = await machinery.records.volumes.list()
      const mount = { type: 'volume' as const, source: mounted.name, target: '/data' }
      await machine.create(machine.options(['true'], {}, { network: 'none', mounts: [mount] }))
      await removeVolume(machinery, removed.name)
      return listed
    },
  }
  const pruned = await pruneVolumes({ ...machinery, records: { ...machinery.records, volumes: outdated } })
  assert.deepEqual(pruned.names, [idle.name])
  assert.deepEqual(
    (await volumes.list()).map(({ name }) => name),
    [mounted.name],
  )
})
