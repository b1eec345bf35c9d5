import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../test/kit/until.ts'
import { workRegularly } from './regular-work.ts'

const failed = (error: unknown) => assert.fail(String(error))
const NEVER = 3_600_000

test('work is done every now and then, one run at a time, and goes on after one that failed', async () => {
  const state = { runs: 0, running: 0, told: 0 }
  const work = async () => {
    assert.equal(++state.running, 1)
    await sleep(20)
    state.running--
    if (++state.runs === 2) throw new Error('once')
  }
  await using _ = workRegularly(work, { every: 1, failed: () => state.told++ })
  await until('it was done some times', () => state.runs > 4)
  assert.equal(state.told, 1)
})

test('many wishes to have it done soon are one run, and one that comes during a run is a run after it', async () => {
  const state = { runs: 0, goOn: (): void => undefined }
  const work = async () => {
    state.runs++
    await new Promise<void>((resolve) => {
      state.goOn = resolve
    })
  }
  await using regular = workRegularly(work, { every: NEVER, failed })
  for (let wish = 0; wish < 10; wish++) regular.soon()
  await until('it is done', () => state.runs === 1)
  regular.soon()
  await sleep(200)
  assert.equal(state.runs, 1)
  state.goOn()
  await until('it is done again', () => state.runs === 2)
  state.goOn()
})

test('the end aborts a run, waits for it, and tells nobody', async () => {
  let ended = false
  const regular = workRegularly(
    async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      await sleep(50)
      ended = true
      throw signal.reason
    },
    { every: 5, failed },
  )
  await sleep(100)
  await regular[Symbol.asyncDispose]()
  assert.equal(ended, true)
  regular.soon()
})
