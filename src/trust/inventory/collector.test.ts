import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCollector } from './collector.ts'
import type { FoundPackage } from './model.ts'

const one: FoundPackage = { type: 'deb', name: 'a', version: '1' }

test('what is empty is left out, and what is for people to read is cut', () => {
  const collector = createCollector('x')
  collector.add({
    ...one,
    architecture: '',
    vendor: 'v'.repeat(5000),
    licences: ['', 'l'.repeat(5000)],
    modularity: 'a b',
  })
  collector.add({ ...one, name: 'b', vendor: '', licences: [''], source: { name: '', version: '1' } })
  const { packages, gaps } = collector.result()
  assert.deepEqual(packages, [
    { ...one, vendor: 'v'.repeat(4096), licences: ['l'.repeat(4096)] },
    { ...one, name: 'b' },
  ])
  assert.equal(gaps, undefined)
})

test('of the licences of a package no more than a hundred are taken, which is noted', () => {
  const collector = createCollector('x')
  collector.add({ ...one, licences: Array.from({ length: 101 }, (_, index) => `l${index}`) })
  const { packages, gaps } = collector.result()
  assert.equal(packages?.[0]?.licences?.length, 100)
  assert.deepEqual(gaps, [{ where: 'x', reason: 'a package has more than 100 licences; the rest is left out' }])
})

test('fewer packages are taken when their texts have no end', () => {
  const collector = createCollector('x')
  const vendor = 'v'.repeat(5000)
  let taken = 0
  while (collector.add({ ...one, name: `p${taken}`, vendor })) taken++
  assert.ok(taken > 10_000 && taken < 20_000)
})
