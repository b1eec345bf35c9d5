// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the words under test
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { expandWord, expandWords } from './expand.ts'
import { Mistake } from './mistake.ts'

const values: Record<string, string> = { v: 'hello', path: 'a/b/c.tar.gz', empty: '', list: 'one two', star: 'a*b' }
const variables = (name: string) => values[name]
const expand = (word: string, mark = '\\') => expandWord(word, variables, { escape: mark }).text

describe('words expand as in BuildKit', () => {
  const table: [string, string][] = [
    ['$v', 'hello'],
    ['${v}x', 'hellox'],
    ['$v.txt', 'hello.txt'],
    ['$none-', '-'],
    ['$', '$'],
    ['a$ b', 'a$ b'],
    ['\\$v', '$v'],
    ['\\\\$v', '\\hello'],
    ["'$v'", '$v'],
    ['"$v"', 'hello'],
    ['"\\$v \\" \\a"', '$v " \\a'],
    ["'a\"b'", 'a"b'],
    ['${none:-w}', 'w'],
    ['${none-w}', 'w'],
    ['${empty:-w}', 'w'],
    ['${empty-w}', ''],
    ['${v:-w}', 'hello'],
    ['${v:+w}', 'w'],
    ['${v+w}', 'w'],
    ['${empty:+w}', ''],
    ['${empty+w}', 'w'],
    ['${none+w}', ''],
    ['${none:-${v}}', 'hello'],
    ['${none:-"a b"}', 'a b'],
    ['${none:-a\\}b}', 'a}b'],
    ['${v:?e}', 'hello'],
    ['${path#*/}', 'b/c.tar.gz'],
    ['${path##*/}', 'c.tar.gz'],
    ['${path%.*}', 'a/b/c.tar'],
    ['${path%%.*}', 'a/b/c'],
    ['${v#x}', 'hello'],
    ['${v%?}', 'hell'],
    ['${v/l/L}', 'heLlo'],
    ['${v//l/L}', 'heLLo'],
    ['${path//\\//-}', 'a-b-c.tar.gz'],
    ['${v/l*/}', 'he'],
    ['${v//*/x}', 'x'],
    ['${star/\\*/+}', 'a+b'],
    ['${none/a/b}', ''],
    ['$v$v', 'hellohello'],
    ['ä$v', 'ähello'],
  ]
  for (const [word, expected] of table) test(`${word} is ${expected}`, () => assert.equal(expand(word), expected))

  test('the escape character of the file counts, the other one is text', () => {
    assert.equal(expand('C:\\$v `$v', '`'), 'C:\\hello $v')
  })

  test('mistakes are named', () => {
    for (const [word, message] of [
      ['${none:?needed}', /none: needed/],
      ['${none?}', /none: is not allowed to be unset/],
      ['${empty:?}', /empty: is not allowed to be empty/],
      ['${v', /missing '}'/],
      ['${}', /bad substitution/],
      ['${v:#x}', /unsupported modifier \(:#\)/],
      ['${v!x}', /unsupported modifier \(!\)/],
      ["'a", /single-quote/],
      ['"a', /double-quote/],
      ['${v#\\a}', /invalid pattern/],
    ] as const) {
      assert.throws(() => expand(word), message, word)
    }
  })

  test('names without a value are told', () => {
    assert.deepEqual([...expandWord('$a ${b:-x} $v', variables, { escape: '\\' }).missing], ['a', 'b'])
  })

  test('words split behind the expansion, but not inside quotes', () => {
    assert.deepEqual(expandWords('a $list "x y" \'\' $none b', variables, { escape: '\\' }), [
      'a',
      'one',
      'two',
      'x y',
      'b',
    ])
  })

  test('unknown variables stay when asked for', () => {
    const options = { escape: '\\', keepUnset: true }
    assert.equal(
      expandWord('$a ${b} ${c:-d} ${e#f} ${g/h/i} $v', variables, options).text,
      '$a ${b} ${c:-d} ${e#f} ${g/h/i} hello',
    )
  })
})

test('any text expands or fails with a Mistake, and text without special characters is itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'$v{}:-+?#%/\\"\'<* a') }), (word) => {
      try {
        assert.equal(typeof expand(word), 'string')
      } catch (error) {
        assert.ok(error instanceof Mistake, String(error))
      }
    }),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'abc /.-_=ä') }), (word) => assert.equal(expand(word), word)),
    { numRuns: 200 },
  )
})
