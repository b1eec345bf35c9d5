import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '#base'
import type { MetaStore, RequestCount } from '../meta/index.ts'
import { createRequestLimits, type RequestLimit } from './index.ts'

const MINUTE = 60_000
const fakeClock = () => {
  const state = { time: 1_700_000_000_000 }
  return { ...systemClock, now: () => state.time, state }
}

const unlimited = { meta: undefined, report: assert.fail }
const limit = (given: Partial<RequestLimit>): RequestLimit => ({
  ...{ who: 'everybody', per: 'identity', what: 'pulls', most: 3, within: MINUTE },
  ...given,
})
const ann = { account: { id: 'a1', kind: 'user' }, network: '192.0.2.1' }
const robot = { account: { id: 'r1', kind: 'robot' }, network: '192.0.2.1' }
const nobody = { network: '192.0.2.1' }

test('so many are let through, then none until the first is a period ago; what is refused is not counted', () => {
  const clock = fakeClock()
  const limits = createRequestLimits({ ...unlimited, clock, limits: [limit({})] })
  const remaining = () => limits.count('pulls', ann)?.remaining
  assert.deepEqual([remaining(), remaining()], [2, 1])
  clock.state.time += 30_000
  assert.equal(limits.look('pulls', ann)?.remaining, 1)
  assert.deepEqual([remaining(), limits.count('pulls', ann)?.remaining], [0, 0])
  for (let more = 0; more < 10; more++) limits.count('pulls', ann)
  const { wait } = limits.look('pulls', ann)!
  assert.ok(wait! > 30_000 && wait! <= 33_000, `${wait}`)
  clock.state.time += wait! - 1
  assert.notEqual(limits.look('pulls', ann)?.wait, undefined)
  clock.state.time += 1
  assert.deepEqual([remaining(), remaining()], [1, 0])
  assert.notEqual(limits.count('pulls', ann)?.wait, undefined)
})

test('in no period whatever are there more than the limit, and those who keep to it are let through', () => {
  const clock = fakeClock()
  const limits = createRequestLimits({ ...unlimited, clock, limits: [limit({ most: 50 })] })
  const taken: number[] = []
  for (let step = 0; step < 3000; step++) {
    clock.state.time += (step * 7919) % 311
    if (limits.count('pulls', ann)?.wait === undefined) taken.push(clock.state.time)
  }
  for (const [at, time] of taken.entries()) {
    assert.ok(at < 50 || time - taken[at - 50]! >= MINUTE, `51 within ${time - taken[at - 50]!} ms`)
  }
  const periods = (taken.at(-1)! - taken[0]!) / (MINUTE * 1.05)
  assert.ok(taken.length >= Math.floor(periods) * 50, `${taken.length} in ${periods} periods`)
})

test('whom a limit is about, and what has a count of its own', () => {
  const clock = fakeClock()
  const asked = (one: Partial<RequestLimit>, ...callers: (typeof ann | typeof nobody)[]) => {
    const limits = createRequestLimits({ ...unlimited, clock, limits: [limit(one)] })
    return callers.map((caller) => limits.count('pulls', caller)?.remaining)
  }
  const elsewhere = { ...ann, network: '192.0.2.2' }
  const all = [ann, robot, nobody, elsewhere]
  assert.deepEqual(asked({ who: 'everybody', per: 'identity' }, ...all), [2, 2, 2, 1])
  assert.deepEqual(asked({ who: 'everybody', per: 'address' }, ...all), [2, 1, 0, 2])
  assert.deepEqual(asked({ who: 'users', per: 'identity' }, ...all), [2, undefined, undefined, 1])
  assert.deepEqual(asked({ who: 'users', per: 'address' }, ...all), [2, undefined, undefined, 2])
  assert.deepEqual(asked({ who: 'robots', per: 'identity' }, ...all), [undefined, 2, undefined, undefined])
  assert.deepEqual(asked({ who: 'anonymous', per: 'address' }, ...all), [undefined, undefined, 2, undefined])
  assert.deepEqual(asked({ what: 'pushes' }, ...all), [undefined, undefined, undefined, undefined])
})

test('of several limits the one that is reached counts, and the others do not count what it refuses', () => {
  const clock = fakeClock()
  const hour = limit({ most: 4, within: 60 * MINUTE })
  const limits = createRequestLimits({ ...unlimited, clock, limits: [limit({ most: 2 }), hour] })
  const next = () => limits.count('pulls', ann)!
  assert.deepEqual([next().remaining, next().remaining], [1, 0])
  for (let more = 0; more < 9; more++) assert.ok(next().wait! <= 63_000)
  clock.state.time += 63_001
  assert.deepEqual([next().remaining, next().remaining], [1, 0])
  const reached = next()
  assert.deepEqual([reached.limit.most, reached.remaining], [4, 0])
  assert.ok(reached.wait! > 58 * MINUTE, 'the longer wait is told')
})

test('a million addresses take no more memory than fifty thousand, and the last of them are still counted', () => {
  const limits = createRequestLimits({
    ...unlimited,
    clock: fakeClock(),
    limits: [limit({ who: 'anonymous', per: 'address', most: 2 })],
  })
  const come = (number: number) =>
    limits.count('pulls', { network: `2001:db8:${(number >> 16).toString(16)}:${(number & 0xffff).toString(16)}::/64` })
  const before = heapUsed()
  for (let number = 0; number < 1_000_000; number++) come(number)
  const grown = heapUsed() - before
  assert.ok(grown < 45 << 20, `${grown} bytes`)
  assert.equal(come(999_999)?.remaining, 0)
  assert.notEqual(come(999_999)?.wait, undefined)
  assert.equal(come(0)?.remaining, 1, 'the first were forgotten')
})

/** Without garbage. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

/** The rows that several processes share. */
function sharedRows() {
  const rows = new Map<string, Map<number, number>>()
  const state = { away: false, calls: 0, most: 0 }
  const meta = {
    async addRequestCounts(counts: readonly RequestCount[]) {
      if (state.away) throw new Error('the database is away')
      state.calls++
      state.most = Math.max(state.most, counts.length)
      for (const { name, part, count } of counts) {
        const parts = rows.get(name) ?? new Map<number, number>()
        rows.set(name, parts.set(part, (parts.get(part) ?? 0) + count))
      }
      const names = [...new Set(counts.map(({ name }) => name))]
      return names.flatMap((name) => [...rows.get(name)!].map(([part, count]) => ({ name, part, count })))
    },
  } as MetaStore
  return { meta, state, total: () => [...rows.values()].flatMap((one) => [...one.values()]).reduce((a, b) => a + b, 0) }
}

/** A clock whose sleeps end when the test says. */
function steppedClock() {
  const clock = fakeClock()
  let wake: () => void = () => undefined
  const sleep = (_: number, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise<void>((resolve) => {
      wake = resolve
      signal?.addEventListener('abort', () => resolve())
    })
  return {
    ...clock,
    sleep,
    async second() {
      clock.state.time += 1000
      wake()
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    },
  }
}

test('processes add up their counts once a second, however many requests there are', async () => {
  const { meta, state, total } = sharedRows()
  const clocks = [steppedClock(), steppedClock()]
  const [one, other] = clocks.map((clock) =>
    createRequestLimits({ clock, meta, report: assert.fail, limits: [limit({ most: 100 })] }),
  )
  const second = async () => {
    for (const clock of clocks) await clock.second()
  }
  for (let each = 0; each < 40; each++) one!.count('pulls', ann)
  assert.equal(state.calls, 0)
  await second()
  assert.deepEqual([state.calls, total()], [1, 40])
  assert.equal(other!.count('pulls', ann)?.remaining, 99, 'it has not heard of them yet')
  one!.count('pulls', ann)
  await second()
  assert.equal(other!.look('pulls', ann)?.remaining, 58)
  other!.count('pulls', ann)
  one!.count('pulls', ann)
  await second()
  await one![Symbol.asyncDispose]()
  await other![Symbol.asyncDispose]()
  assert.equal(total(), 44)
})

test('while the database is away each process goes by its own counts, which are added later; a close adds what is left', async () => {
  const { meta, state, total } = sharedRows()
  const clock = steppedClock()
  const reports: string[] = []
  const report = (failure: unknown, what: string) => reports.push(`${what}: ${(failure as Error).message}`)
  const limits = createRequestLimits({ clock, meta, report, limits: [limit({ most: 2 })] })
  state.away = true
  assert.deepEqual(
    [1, 2].map(() => limits.count('pulls', ann)?.remaining),
    [1, 0],
  )
  await clock.second()
  assert.deepEqual(reports, ['counting requests together with other replicas: the database is away'])
  assert.notEqual(limits.count('pulls', ann)?.wait, undefined)
  state.away = false
  await clock.second()
  assert.equal(total(), 2)
  limits.count('pulls', robot)
  await limits[Symbol.asyncDispose]()
  assert.equal(total(), 3)
})

test('a flood of callers is added up in bounded turns', async () => {
  const { meta, state, total } = sharedRows()
  const clock = steppedClock()
  const limits = createRequestLimits({ clock, meta, report: assert.fail, limits: [limit({})] })
  for (let number = 0; number < 12_000; number++) limits.count('pulls', { network: `flood ${number}` })
  await clock.second()
  assert.equal(total(), 5000)
  await clock.second()
  await clock.second()
  assert.deepEqual([total(), state.calls, state.most], [12_000, 3, 5000])
  await limits[Symbol.asyncDispose]()
})
