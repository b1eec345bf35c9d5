import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance } from './edit-distance.ts'

test('edits are counted; a swap of neighbours is one only where it is asked for', () => {
  const cases: [from: string, to: string, plain: number, swapped: number][] = [
    ['', 'abc', 3, 3],
    ['same', 'same', 0, 0],
    ['kitten', 'sitting', 3, 3],
    ['form', 'from', 2, 1],
    ['ab', 'ba', 2, 1],
  ]
  for (const [from, to, plain, swapped] of cases) {
    assert.equal(editDistance(from, to, { swaps: false }), plain, `${from} ${to}`)
    assert.equal(editDistance(from, to, { swaps: true }), swapped, `${from} ${to} with swaps`)
    assert.equal(editDistance(to, from, { swaps: true }), swapped, `${to} ${from} with swaps`)
  }
})
