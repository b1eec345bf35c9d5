import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilAborted } from './index.ts'

async function* counting(ended: () => void) {
  try {
    for (let index = 0; ; index++) yield index
  } finally {
    ended()
  }
}

test('items come until the signal is aborted, and the source is ended', async () => {
  const control = new AbortController()
  const seen: number[] = []
  let ended = false
  const reading = async () => {
    for await (const item of untilAborted(
      counting(() => {
        ended = true
      }),
      control.signal,
    )) {
      seen.push(item)
      if (item === 3) control.abort(new Error('enough'))
    }
  }
  await assert.rejects(reading(), /enough/)
  assert.deepEqual([seen, ended], [[0, 1, 2, 3], true])
})

test('a source that says nothing does not keep an aborted reader waiting', async () => {
  const control = new AbortController()
  const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }
  const reading = (async () => {
    for await (const _ of untilAborted(silent, control.signal)) assert.fail('nothing comes')
  })()
  control.abort(new Error('enough'))
  await assert.rejects(reading, /enough/)
  await assert.rejects(untilAborted(silent, control.signal).next(), /enough/, 'aborted before it began')
})

test('a reader that has enough ends the source, and an end is an end', async () => {
  const { signal } = new AbortController()
  let ended = false
  for await (const item of untilAborted(
    counting(() => {
      ended = true
    }),
    signal,
  ))
    if (item === 2) break
  assert.ok(ended)
  const finite = async function* () {
    yield* ['a', 'b']
  }
  assert.deepEqual(await Array.fromAsync(untilAborted(finite(), signal)), ['a', 'b'])
  assert.deepEqual(await Array.fromAsync(untilAborted(finite(), undefined)), ['a', 'b'])
})
