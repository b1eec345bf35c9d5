import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCollector } from './collector.ts'
import type { FoundPackage } from './model.ts'

const one: FoundPackage = { type: 'deb', name: 'a', version: '1' }

test('a million packages are taken, and then no more', () => {
  const collector = createCollector('x')
  for (let count = 0; count < 1_000_000; count++) collector.add({ ...one, name: `p${count}` })
  assert.equal(collector.add({ ...one, name: 'more' }), false)
  const { packages, gaps } = collector.result()
  assert.equal(packages?.length, 1_000_000)
  assert.deepEqual(gaps, [{ where: 'x', reason: 'it lists more packages than the 1000000 that were read' }])
})
