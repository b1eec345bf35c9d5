import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remembered } from './remembered.ts'
import type { SqlDatabase } from './sql.ts'

/** A database of which only the number of its changes is asked. */
const changing = (state: { version: number }) => ({ version: () => state.version }) as unknown as SqlDatabase

test('what was read is given again until something changes', async () => {
  const state = { version: 1 }
  const reads: string[] = []
  const find = remembered(changing(state), async (key) => {
    reads.push(key)
    return `${key}${state.version}`
  })
  assert.deepEqual([await find('a'), await find('a'), await find('b')], ['a1', 'a1', 'b1'])
  state.version = 2
  assert.deepEqual([await find('a'), await find('b'), await find('a')], ['a2', 'b2', 'a2'])
  assert.deepEqual(reads, ['a', 'b', 'a', 'b'])
})

test('what was read before a change is not kept after it, although somebody else has asked in between', async () => {
  const state = { version: 1 }
  const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
  let asked = 0
  const find = remembered(changing(state), async () => await (answers[asked++]?.promise ?? 'read again'))
  const early = find('ann')
  state.version = 2
  const late = find('bob')
  answers[0]!.resolve('the rights of before')
  assert.equal(await early, 'the rights of before')
  answers[1]!.resolve('bob')
  await late
  assert.equal(await find('ann'), 'read again')
})

test('where changes cannot be seen, everything is read each time', async () => {
  let reads = 0
  const find = remembered({} as SqlDatabase, async () => ++reads)
  assert.deepEqual([await find('a'), await find('a')], [1, 2])
})
