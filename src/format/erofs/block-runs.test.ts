import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addBlocks, type BlockRun, decodeBlockRuns, encodeBlockRuns } from './block-runs.ts'

const runsOf = (...blocks: [number, number][]) => {
  const runs: BlockRun[] = []
  for (const [first, count] of blocks) addBlocks(runs, first, count)
  return runs
}

test('blocks side by side are one run, and so are those that overlap', () => {
  assert.deepEqual(runsOf([1, 1], [2, 1], [3, 4], [9, 1]), [
    { first: 1, count: 6 },
    { first: 9, count: 1 },
  ])
  assert.deepEqual(runsOf([3, 1], [3, 1]), [{ first: 3, count: 1 }])
  assert.deepEqual(runsOf([3, 5], [4, 1]), [{ first: 3, count: 5 }])
  assert.deepEqual(runsOf(), [])
})

test('what is written is read again, small numbers in a byte each', () => {
  const runs = runsOf([1, 1], [10, 127], [300, 128], [2 ** 31, 5], [2 ** 32 - 9, 3])
  const bytes = encodeBlockRuns(runs)
  assert.deepEqual(decodeBlockRuns(bytes, 2 ** 32), runs)
  assert.equal(encodeBlockRuns(runsOf([1, 1], [10, 1])).length, 4)
})

test('damage gives no block beyond the image, and ends', () => {
  const runs = runsOf([1, 1], [10, 20], [300, 128])
  const bytes = encodeBlockRuns(runs)
  assert.deepEqual(decodeBlockRuns(bytes, 100), runs.slice(0, 2))
  for (let at = 0; at < bytes.length; at++)
    for (const value of [0, 0x7f, 0x80, 0xff]) {
      const damaged = Uint8Array.from(bytes)
      damaged[at] = value
      let end = 0
      for (const { first, count } of decodeBlockRuns(damaged, 1000)) {
        assert.ok(first >= end && count > 0 && first + count <= 1000)
        end = first + count
      }
    }
  assert.deepEqual(decodeBlockRuns(new Uint8Array(1000).fill(0xff), 1000), [])
})
