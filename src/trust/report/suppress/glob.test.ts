import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchesGlob } from './glob.ts'

const CASES: [pattern: string, text: string, matches: boolean][] = [
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', 'a/b', true],
  ['lib*3', 'libssl3', true],
  ['lib*3', 'libssl3-dev', false],
  ['lib?sl3', 'libssl3', true],
  ['a*b*c', 'aXbXbXc', true],
  ['a*b*c', 'aXcXb', false],
  ['**', 'x', true],
  ['[a]', 'a', false],
  ['a.c', 'abc', false],
]

for (const [pattern, text, matches] of CASES) {
  test(`the pattern "${pattern}" ${matches ? 'matches' : 'does not match'} "${text}"`, () => {
    assert.equal(matchesGlob(pattern, text), matches)
  })
}

test('a pattern matches what a regular expression of the same meaning matches', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 })
  fc.assert(
    fc.property(word, text, (pattern, against) => {
      const same = new RegExp(
        `^${pattern
          .replaceAll('*', '.*')
          .replaceAll('?', '.')
          .replaceAll(/(\.\*)+/g, '.*')}$`,
      )
      assert.equal(matchesGlob(pattern, against), same.test(against))
    }),
  )
})

test('a pattern of many stars takes no longer than both lengths allow', () => {
  const begun = performance.now()
  assert.equal(matchesGlob(`${'*a'.repeat(500)}b`, 'a'.repeat(20_000)), false)
  assert.ok(performance.now() - begun < 2000)
})
