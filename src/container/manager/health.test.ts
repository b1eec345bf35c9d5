import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { cannotRunContainers } from '../../../test/kit/busybox-rootfs.ts'
import { containerMachine } from '../../../test/kit/container-machine.ts'
import { until } from '../../../test/kit/until.ts'
import { findContainer } from '../state/state.ts'
import { type HealthResult, nextHealth, superviseHealth } from './health.ts'
import { healthCommand } from './start-health-checks.ts'
import { stopContainer } from './stop.ts'

const result = (exitCode: number): HealthResult => ({ start: '', end: '', exitCode, output: '' })

test('health: failures count after the start period, and as many as retries in a row mean unhealthy', () => {
  const rules = { starting: false, retries: 2 }
  const early = nextHealth(undefined, result(1), { ...rules, starting: true })
  assert.deepEqual([early.status, early.failingStreak], ['starting', 0])
  const once = nextHealth(early, result(1), rules)
  assert.deepEqual([once.status, once.failingStreak], ['starting', 1])
  const twice = nextHealth(once, result(-1), rules)
  assert.deepEqual([twice.status, twice.failingStreak], ['unhealthy', 2])
  const well = nextHealth(twice, result(0), rules)
  assert.deepEqual([well.status, well.failingStreak, well.log.length], ['healthy', 0, 4])
  assert.equal(nextHealth(nextHealth(well, result(0), rules), result(0), rules).log.length, 5)
})

test('the command of a health check: words, a shell line, or none', () => {
  assert.deepEqual(healthCommand({ Test: ['CMD', 'curl', '-f'] }), ['curl', '-f'])
  assert.deepEqual(healthCommand({ Test: ['CMD-SHELL', 'curl -f'] }), ['/bin/sh', '-c', 'curl -f'])
  assert.deepEqual([healthCommand({ Test: ['NONE'] }), healthCommand(undefined)], [undefined, undefined])
})

test('a container is starting, healthy, unhealthy as its check says, until it ends', {
  skip: cannotRunContainers(),
  timeout: 240_000,
}, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  const healthcheck = { Test: ['CMD-SHELL', 'cat /ok'], Interval: 50e6, Retries: 1, Timeout: 20e9 }
  const { id } = await machine.create(machine.options(['sh', '-c', 'echo fine > /ok; sleep 1000'], { healthcheck }))
  await machine.start(id)
  const health = async () => (await findContainer(machinery, id)).document.state.health
  assert.equal((await health())?.status, 'starting')
  const supervised = superviseHealth(machinery, id)
  const becomes = (status: string) => until(`it is ${status}`, async () => (await health())?.status === status)
  await becomes('healthy')
  const { process } = (await findContainer(machinery, id)).document.state
  rmSync(`/proc/${process?.pid}/root/ok`)
  await becomes('unhealthy')
  assert.match((await health())?.log.at(-1)?.output ?? '', /can't open '\/ok'/)
  await stopContainer(machinery, id, { timeout: 0 })
  await supervised
})
