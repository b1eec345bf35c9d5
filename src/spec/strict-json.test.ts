import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isBaleError } from '#base'
import { encodeDocument, parseJson, parseStrictJson } from './strict-json.ts'

const parse = (text: string | Uint8Array, limit = 1 << 20, depth?: number) =>
  parseStrictJson(typeof text === 'string' ? new TextEncoder().encode(text) : text, { limit, depth, what: 'it' })

const refused: [name: string, text: string | Uint8Array, message: RegExp][] = [
  ['a key twice', '{"a":1,"a":2}', /"a" appears twice/],
  ['a key twice, further in', '{"a":[{"b":{"c":1,"d":{},"c":2}}]}', /"c" appears twice/],
  ['a key twice, once escaped', '{"ab":1,"\\u0061b":2}', /"ab" appears twice/],
  ['__proto__ twice', '{"__proto__":1,"__proto__":2}', /appears twice/],
  ['a byte-order mark', '\ufeff{}', /byte-order mark/],
  ['data after the value', '{} {}', /not JSON/],
  ['a NUL after the value', '{}\0', /not JSON/],
  ['nothing', '', /not JSON/],
  ['an open string', '{"a', /string is not terminated/],
  ['half a surrogate pair', '"\\ud800"', /surrogate/],
  ['half a surrogate pair in a key', '{"\\udc00":1}', /surrogate/],
  ['broken UTF-8', Uint8Array.of(0x22, 0xff, 0x22), /not UTF-8/],
  ['a surrogate in UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), /not UTF-8/],
  ['65 levels', '['.repeat(65) + ']'.repeat(65), /deeper than 64/],
  ['100 000 open brackets', '['.repeat(100_000), /deeper than 64/],
  ['a bad escape', '{"\\x":1}', /not JSON/],
  ['a comment', '{/**/}', /not JSON/],
]

test('M03 M04 documents that two parsers could read differently are refused', () => {
  for (const [name, text, message] of refused) {
    assert.throws(
      () => parse(text),
      (error) => isBaleError(error, 'INVALID_MANIFEST') && message.test(error.message),
      name,
    )
  }
})

test('M04 a document larger than the limit is refused before it is read', () => {
  assert.throws(() => parse('[1234]', 5), { code: 'LIMIT_EXCEEDED' })
})

test('M03 a key __proto__ is an ordinary property and changes no prototype', () => {
  const value = parse('{"__proto__":{"polluted":true},"constructor":1}') as Record<string, unknown>
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
  assert.equal(value['polluted'], undefined)
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor'])
})

test('equal keys in different objects, and strings that look like keys, are no duplicates', () => {
  const text = '{"a":{"a":"a"},"b":["a","a",{"a":1},{"a":2}],"c":"\\"a\\":1,\\"a\\":2","d\\\\":1,"d":"}{[]"}'
  assert.deepEqual(parse(text), JSON.parse(text))
  assert.deepEqual(parse('['.repeat(64) + ']'.repeat(64)), JSON.parse('['.repeat(64) + ']'.repeat(64)))
})

test('property: what JSON.stringify writes is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(3), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      if (!text.isWellFormed() || /\\ud[89a-f]/i.test(text)) return
      assert.deepEqual(parse(text), JSON.parse(text))
    }),
  )
})

test('property: strict is a subset of JSON.parse over damaged text, and never throws anything but a BaleError', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '"',
    '\\',
    '1',
    'null',
    ' ',
    '"\\u0061"',
    'x',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = pieces.join('')
      try {
        assert.deepEqual(parse(text), JSON.parse(text))
      } catch (error) {
        assert.ok(isBaleError(error, 'INVALID_MANIFEST'), String(error))
        // Refused although JSON.parse takes it: then only because of a duplicate key.
        let accepted = true
        try {
          JSON.parse(text)
        } catch (syntax) {
          assert.ok(syntax instanceof SyntaxError)
          accepted = false
        }
        if (accepted) assert.match(error.message, /appears twice/)
      }
    }),
    { numRuns: 2000 },
  )
})

test('a written document is the same bytes each time and leaves undefined members out', () => {
  const text = new TextDecoder().decode(encodeDocument({ b: 1, a: undefined, c: ['ä'] }))
  assert.equal(text, '{"b":1,"c":["ä"]}')
})

test('what is no JSON is undefined where that is no error', () => {
  assert.deepEqual(parseJson('{"a":[1]}'), { a: [1] })
  for (const text of ['', '<html>', '{']) assert.equal(parseJson(text), undefined)
})
