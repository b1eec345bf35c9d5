import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compilePattern } from './pattern.ts'

const fits = (pattern: string, text: string) => compilePattern(pattern)?.test(text)

test("patterns mean what they mean to Go's regexp", () => {
  const cases: [string, string, boolean][] = [
    ['', 'x', true],
    ['b', 'abc', true],
    ['^b', 'abc', false],
    ['^/?web$', '/web', true],
    ['^(web|db)-\\d+$', 'db-12', true],
    ['^(web|db)-\\d+$', 'cache-1', false],
    ['(?i)^WEB$', 'web', true],
    ['^(?i:W)eb$', 'web', true],
    ['^(?i:W)eb$', 'WEB', false],
    ['a{2,3}b', 'xaab', true],
    ['^a{2,3}$', 'aaaa', false],
    ['^a{2,}$', 'aaaa', true],
    ['a{,2}', 'a{,2}', true],
    ['^[[:alpha:]_]+$', 'a_b', true],
    ['^[[:^digit:]]+$', 'a1', false],
    ['^[[:a]+$', '[a:', true],
    ['^[^a-c]$', 'd', true],
    ['^[]a]+$', ']a', true],
    ['^[a\\-z]$', '-', true],
    ['^[a-]+$', '-a', true],
    ['\\Qa.b\\E+$', 'a.bbb', true],
    ['\\Qa.b\\E', 'axb', false],
    ['^\\x41\\x{1F600}$', 'A\u{1F600}', true],
    ['^\\101$', 'A', true],
    ['^\\p{Greek}\\pL$', 'αx', true],
    ['^\\P{Lu}$', 'A', false],
    ['\\bweb\\b', 'my web 1', true],
    ['\\bweb\\b', 'website', false],
    ['(?m)^b$', 'a\nb', true],
    ['^b$', 'a\nb', false],
    ['a.b', 'a\nb', false],
    ['(?s)a.b', 'a\nb', true],
    ['(?P<name>x)(?<other>y)', 'xy', true],
    ['a|', 'zzz', true],
    ['x*', '', true],
    ['^(a*)*$', 'aaab', false],
    ['\\Aweb\\z', 'web', true],
    ['(?i-s)X', 'x', true],
    ['(?U)a+?$', 'aa', true],
  ]
  for (const [pattern, text, want] of cases) assert.equal(fits(pattern, text), want, `${pattern} on ${text}`)
})

test('what Go refuses is no pattern', () => {
  const wrong = [
    '[',
    '(',
    ')',
    '*',
    'a**',
    'a{2}{3}',
    'a{1001}',
    '[z-a]',
    '\\1',
    '\\',
    '\\y',
    '(?=a)',
    '(?!a)',
    '(?<=a)b',
  ]
  for (const pattern of [
    ...wrong,
    '[[:nosuch:]]',
    '[[:constructor:]]',
    '[[:valueOf:]]',
    '[[:a b:]]',
    '[[:^^alpha:]]',
    '[[:a]b:]',
    '\\p{NoSuch}',
    '(?P<>x)',
    '(?z)',
    '\\x{110000}',
    '[a',
    '(?i-)a',
  ])
    assert.equal(compilePattern(pattern), undefined, pattern)
  assert.equal(compilePattern('('.repeat(2000) + ')'.repeat(2000)), undefined)
  assert.equal(compilePattern('((a{1000}){1000}){1000}'), undefined)
})

test('no pattern takes time that grows faster than the text', () => {
  const text = `${'a'.repeat(5000)}!`
  for (const pattern of ['^(a+)+$', '^(a|aa)+$', '^(a*)*b', '(a?){100}a{100}$'])
    assert.equal(fits(pattern, text), false)
})

test('property: patterns that both languages know fit the same texts', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\d', '^', '$', '(a|b)', '(?:ab)', '\\.', '\\b')
  const repeat = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}', '*?')
  const part = fc.tuple(atom, repeat).map(([one, more]) => (/^(\^|\$|\\b)$/.test(one) ? one : one + more))
  const pattern = fc.array(fc.array(part, { maxLength: 5 }), { minLength: 1, maxLength: 3 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '1', ' '), maxLength: 8 })
  fc.assert(
    fc.property(pattern, text, (branches, subject) => {
      const source = branches.map((parts) => parts.join('')).join('|')
      assert.equal(fits(source, subject), new RegExp(source, 'u').test(subject), `${source} on ${subject}`)
    }),
    { numRuns: 3000 },
  )
})

test('property: no text makes the reader fail', () => {
  const text = fc.string({ unit: fc.constantFrom(...'()[]{}*+?|^$\\.-:,0159aQEpPxi<>\u{1F600}'), maxLength: 20 })
  fc.assert(
    fc.property(text, text, (source, subject) => {
      compilePattern(source)?.test(subject)
    }),
    { numRuns: 3000 },
  )
})
