import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileGlob } from './glob.ts'

const cases: [dialect: 'match' | 'ignore', pattern: string, text: string, matches: boolean][] = [
  ['match', '**', 'a/b', false],
  ['ignore', '**', 'a/b', true],
  ['match', 'a/**/b', 'a/x/b', true],
  ['match', 'a/**/b', 'a/b', false],
  ['ignore', 'a/**/b', 'a/b', true],
  ['ignore', '[]a]', ']', true],
  ['ignore', 'a\\', 'a\\', true],
  ['match', '?', '\u{1F600}', true],
  ['ignore', 'x?y', 'x\u{1F600}y', true],
  ['match', '[\u{1F600}-\u{1F610}]', '\u{1F605}', true],
  ['match', '\\*', '*', true],
  ['match', '[^a]', '/', false],
]

test('the dialects differ in **, in a class that begins with ], and in a backslash at the end', () => {
  for (const [dialect, pattern, text, matches] of cases)
    assert.equal(compileGlob(pattern, dialect)?.matches(text), matches, `${dialect} ${pattern} ${text}`)
  for (const bad of ['[]a]', '[^]', 'a\\', '[a']) assert.equal(compileGlob(bad, 'match'), undefined, bad)
  assert.equal(compileGlob('[a', 'ignore'), undefined)
})

test('without ** both dialects are one regular expression for each part between slashes', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '/', '.'), maxLength: 8 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 8 })
  fc.assert(
    fc.property(word, text, (pattern, path) => {
      fc.pre(!pattern.includes('**'))
      const source = pattern.replace(/[*?.]/g, (one) => ({ '*': '[^/]*', '?': '[^/]', '.': '\\.' })[one]!)
      const expected = new RegExp(`^${source}$`).test(path)
      for (const dialect of ['match', 'ignore'] as const)
        assert.equal(compileGlob(pattern, dialect)!.matches(path), expected, dialect)
    }),
    { numRuns: 500 },
  )
})
