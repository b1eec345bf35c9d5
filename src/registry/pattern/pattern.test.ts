import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorTime } from '../../../test/kit/processor-time.ts'
import { boundsOf, firstPart, isPattern, matchesPattern } from './index.ts'

test('patterns fit parts of names with *, anything with **', () => {
  const cases: [string, string, boolean][] = [
    ['team/web', 'team/web', true],
    ['team/web', 'team/web2', false],
    ['team/*', 'team/web', true],
    ['team/*', 'team/a/b', false],
    ['team/*', 'team', false],
    ['team/**', 'team/a/b', true],
    ['**', 'a/b/c', true],
    ['*', 'a', true],
    ['*', 'a/b', false],
    ['*/web', 'team/web', true],
    ['**/web', 'a/b/web', true],
    ['**/web', 'web', false],
    ['team/web-*', 'team/web-1', true],
    ['a.c', 'abc', false],
  ]
  for (const [pattern, name, fits] of cases) assert.equal(matchesPattern(pattern, name), fits, `${pattern} ${name}`)
})

test('A12: a pattern of many stars takes no time that grows out of bounds, and more than eight are refused', () => {
  assert.equal(isPattern('a*'.repeat(8)), true)
  for (const bad of ['a*'.repeat(9), '', 'A', 'a b', '***', 'x'.repeat(256), '(a|b)+', 'a\n'])
    assert.equal(isPattern(bad), false, bad)
  const hostile = ['**a', '*a', 'a*', '**/'].map(
    (part) => [`${part.repeat(8)}b`, part.includes('/') ? 'a/' : 'a'] as const,
  )
  const spent = processorTime()
  for (let time = 0; time < 250; time++) {
    for (const [pattern, name] of hostile) assert.equal(matchesPattern(pattern, name.repeat(255 / name.length)), false)
  }
  // A thousand names are what a page of the catalog reads.
  assert.ok(spent() < 1000)
})

test('A12: patterns match as the plain reading of their stars does, and are found by the names that they match', () => {
  const parts = ['a', 'b', '/', '*', '**']
  const letters = ['a', 'b', '/']
  let seed = 7
  const next = (choice: readonly string[]) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return choice[seed % choice.length]!
  }
  const some = (choice: readonly string[], most: number) =>
    Array.from({ length: 1 + (seed % most) }, () => next(choice)).join('')
  let matched = 0
  for (let round = 0; round < 20_000; round++) {
    const [pattern, name] = [some(parts, 6), some(letters, 7)]
    if (pattern.includes('***')) continue
    const plain = new RegExp(`^${pattern.replaceAll('**', '@').replaceAll('*', '[^/]*').replaceAll('@', '.*')}$`)
    assert.equal(matchesPattern(pattern, name), plain.test(name), `${pattern} ${name}`)
    if (!plain.test(name)) continue
    matched++
    const { from, to } = boundsOf(pattern)
    assert.ok(from <= name && name < to, `${name} is within the bounds of ${pattern}`)
    assert.ok([firstPart(name), '*'].includes(firstPart(pattern)), `${pattern} is found by ${name}`)
  }
  assert.ok(matched > 500, `${matched} matched`)
})
