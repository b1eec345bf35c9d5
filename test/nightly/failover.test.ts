/** What takes minutes, with servers that `npm test` does without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCeph, withoutCeph } from '../kit/ceph.ts'
import { startHaproxy, withoutHaproxy } from '../kit/haproxy.ts'
import { startPatroni, withoutPatroni } from '../kit/patroni.ts'
import { missingOf, startPushLoad } from '../kit/push-load.ts'
import { replicasOn } from '../kit/replica.ts'
import { until } from '../kit/until.ts'

const skip = withoutPatroni() || withoutCeph() || withoutHaproxy()

test('replicas under load while Patroni fails over, twice: nothing that was answered is lost', { skip }, async () => {
  await using started = new AsyncDisposableStack()
  const [patroni, ceph] = await Promise.all([startPatroni(), startCeph()])
  for (const one of [patroni, ceph]) started.use(one)
  const all = started.use(await replicasOn({ postgres: patroni, ceph }))
  const replicas = [
    await all.replica({ more: { anonymous: 'push' } }),
    await all.replica({ more: { anonymous: 'push' } }),
  ]
  await Promise.all(replicas.map((replica) => replica.start()))
  const balancer = started.use(await startHaproxy(replicas.map(({ address }) => address)))
  const load = startPushLoad(balancer.address)
  try {
    for (let times = 1; times <= 2; times++) {
      const before = load.pushed.length
      await until('images are pushed', () => load.pushed.length > before + 5)
      const primary = await patroni.primary()
      await primary.kill()
      await until('another one is primary', async () => (await patroni.primary()).name !== primary.name, { every: 500 })
      const then = load.pushed.length
      await until('pushes go on', () => load.pushed.length > then + 5)
      primary.start()
      await patroni.settled()
    }
  } finally {
    await load.stop()
  }
  assert.ok(load.failures() > 0, 'nobody noticed: the primary was not killed under load')
  assert.deepEqual(load.complaints, [])
  assert.deepEqual(await missingOf(balancer.address, load.pushed), [])
})
