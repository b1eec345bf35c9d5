import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonMembers } from './json-members.ts'

async function members(text: string, { piece = text.length || 1, limit = 1 << 20 } = {}) {
  const bytes = Buffer.from(text)
  const tooLarge: string[] = []
  const chunks = async function* () {
    // The same memory for each chunk, as some readers have it.
    const chunk = Buffer.alloc(piece)
    for (let at = 0; at < bytes.length; at += piece) yield chunk.subarray(0, bytes.copy(chunk, 0, at, at + piece))
  }
  const found: [string, string][] = []
  for await (const { key, value } of jsonMembers(chunks(), { limit, onTooLarge: (key) => tooLarge.push(key) }))
    found.push([key, Buffer.from(value).toString()])
  return { found, tooLarge }
}

test('the members of any object come out as they are in it, however it is cut into chunks', async () => {
  const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }))
  await fc.assert(
    fc.asyncProperty(object, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (value, piece, spaced) => {
      const text = JSON.stringify(value, null, spaced ? 2 : undefined)
      const { found } = await members(text, { piece })
      assert.deepEqual(
        found.map(([key, one]) => [key, JSON.parse(one)]),
        Object.entries(JSON.parse(text)),
      )
    }),
    { numRuns: 200 },
  )
})

test('a value that is too large is passed over with its key, and the others come', async () => {
  const text = JSON.stringify({ a: 1, b: 'x'.repeat(1000), c: { d: [2] } })
  for (const piece of [7, 5000]) {
    const { found, tooLarge } = await members(text, { piece, limit: 100 })
    assert.deepEqual(
      [found, tooLarge],
      [
        [
          ['a', '1'],
          ['c', '{"d":[2]}'],
        ],
        ['b'],
      ],
    )
  }
})

test('a value that is no JSON ends where the next member begins', async () => {
  assert.deepEqual(
    (await members('{"a":[1},"b":nonsense,"c":2}')).found,
    [['a', '[1},"b":nonsense,"c":2']].slice(1).concat([
      ['a', '[1}'],
      ['b', 'nonsense'],
      ['c', '2'],
    ]),
  )
})

test('what is no object, and one that ends early, is refused', async () => {
  for (const text of [
    '',
    ' ',
    '[]',
    '"a"',
    '{',
    '{"a',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":{}',
    '{1:2}',
    '{"a" 1}',
    '{"a":1}{',
    '{"\u0007":1}',
    '<html>',
  ]) {
    await assert.rejects(members(text), { code: 'INVALID_ARCHIVE' }, text)
  }
  await assert.rejects(members(`{"${'k'.repeat(5000)}":1}`), { code: 'LIMIT_EXCEEDED' })
})
