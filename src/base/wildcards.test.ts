import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { processorTime } from '../../test/kit/processor-time.ts'
import { fitsPath, fitsText } from './index.ts'

const CASES: [pattern: string, text: string, fits: boolean][] = [
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', 'a/b', true],
  ['lib*3', 'libssl3', true],
  ['lib*3', 'libssl3-dev', false],
  ['a*b*c', 'aXbXbXc', true],
  ['a*b*c', 'aXcXb', false],
  ['**', 'x', true],
  ['[a]', 'a', false],
  ['a.c', 'abc', false],
  ['a?c', 'abc', false],
]

for (const [pattern, text, expected] of CASES) {
  test(`the pattern "${pattern}" ${expected ? 'fits' : 'does not fit'} "${text}"`, () => {
    assert.equal(fitsText(pattern, text), expected)
  })
}

test('patterns of names in parts', () => {
  const cases: [string, string, boolean][] = [
    ['registry.example/team/web', 'registry.example/team/web', true],
    ['registry.example/team/web', 'registry.example/team/web2', false],
    ['registry.example/team/*', 'registry.example/team/web', true],
    ['registry.example/team/*', 'registry.example/team/a/b', false],
    ['registry.example/team/*', 'registry.example/team', false],
    ['registry.example/team/**', 'registry.example/team/a/b', true],
    ['registry.example/team/**', 'registry.example/team', false],
    ['registry.example/team/**', 'registry.example/teams/a', false],
    ['registry.example/**/web', 'registry.example/a/b/web', true],
    ['registry.example/**/web', 'registry.example/web', false],
    ['**', 'docker.io/library/debian', true],
    ['*/team/web-*', 'localhost:5000/team/web-1', true],
    ['*.example/**', 'registry.example/a', true],
    ['*.example/**', 'evil.com/x.example/a', false],
    ['a.c/x', 'abc/x', false],
  ]
  for (const [pattern, name, expected] of cases) assert.equal(fitsPath(pattern, name), expected, `${pattern} ${name}`)
})

test('patterns fit what the plain reading of their stars fits', () => {
  const pattern = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 8 }).map((parts) => parts.join(''))
  const text = fc.array(fc.constantFrom('a', 'b'), { maxLength: 9 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(pattern, text, (one, other) => {
      assert.equal(fitsText(one, other), new RegExp(`^${one.replaceAll('*', '.*')}$`).test(other))
    }),
    { numRuns: 5000 },
  )
  const parts = fc.array(fc.constantFrom('a', 'b', '**', 'a*'), { minLength: 1, maxLength: 6 })
  const names = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(parts, names, (one, other) => {
      const plain = one.map((part) => (part === '**' ? '[^/]+(?:/[^/]+)*' : part.replace('*', '[^/]*'))).join('/')
      assert.equal(fitsPath(one.join('/'), other.join('/')), new RegExp(`^${plain}$`).test(other.join('/')))
    }),
    { numRuns: 5000 },
  )
})

test('a pattern of many stars takes no time that grows out of bounds', () => {
  const spent = processorTime()
  assert.equal(fitsText(`${'*a'.repeat(2000)}b`, 'a'.repeat(4000)), false)
  assert.equal(fitsPath(`${'**/a*a*a*/'.repeat(40)}b`, 'aaaaaaaa/'.repeat(60)), false)
  assert.ok(spent() < 2000)
})
