import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Together } from '../operation/index.ts'
import { lastingFamilies, summedFamilies } from './summed-families.ts'

const family = (name: string, type: string, samples: string, together: Together = 'sum') => ({
  name,
  together,
  text: `# HELP ${name} What it is\n# TYPE ${name} ${type}\n${samples}`,
})

test('values of the same labels are added, or the least or greatest is taken; others stay', () => {
  const one = [
    family('a_total', 'counter', 'a_total{x="a b"} 1\na_total{x="c"} 2\n'),
    family('b', 'gauge', 'b 5\n', 'least'),
    family('c', 'gauge', '', 'greatest'),
  ]
  const other = [
    family('a_total', 'counter', 'a_total{x="c"} 3.5\na_total{x="d"} 4\n'),
    family('b', 'gauge', 'b 4\n', 'least'),
    family('c', 'gauge', 'c 7\n', 'greatest'),
    family('d', 'gauge', 'd 1\n'),
  ]
  assert.deepEqual(summedFamilies([one, other]), [
    family('a_total', 'counter', 'a_total{x="a b"} 1\na_total{x="c"} 5.5\na_total{x="d"} 4\n'),
    family('b', 'gauge', 'b 4\n', 'least'),
    family('c', 'gauge', 'c 7\n', 'greatest'),
    family('d', 'gauge', 'd 1\n'),
  ])
})

test('of values that all of them can know, the one that was set last counts, whichever process had it', () => {
  const pending = (value: number, setAt: number) => ({
    ...family('p', 'gauge', `p ${value}\n`, 'latest'),
    setAt,
  })
  for (const processes of [
    [[pending(7, 2)], [pending(3, 1)]],
    [[pending(3, 1)], [pending(7, 2)]],
  ]) {
    assert.equal(summedFamilies(processes)[0]!.text, pending(7, 2).text)
  }
  assert.deepEqual(lastingFamilies([pending(7, 2)]), [], 'it is not known of one that has ended')
})

test('of a process that has ended its counts remain, not its memory', () => {
  const counter = family('a_total', 'counter', 'a_total 1\n')
  const histogram = family('h', 'histogram', 'h_count 1\n')
  const last = family('l', 'gauge', 'l 3\n', 'greatest')
  assert.deepEqual(lastingFamilies([counter, histogram, last, family('m', 'gauge', 'm 9\n')]), [
    counter,
    histogram,
    last,
  ])
})
