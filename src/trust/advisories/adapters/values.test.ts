import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSource } from './values.ts'

test('a document of a source is refused before it takes the memory: too many members, too deep, no JSON', () => {
  const parse = (text: string) => parseSource(Buffer.from(text), 'it')
  assert.throws(() => parse(`[${'[],'.repeat(4_000_000)}[]]`), { code: 'LIMIT_EXCEEDED', message: /members/ })
  assert.throws(() => parse(`${'['.repeat(65)}${']'.repeat(65)}`), { code: 'INVALID_ARCHIVE' })
  assert.throws(() => parse('{'), { code: 'INVALID_ARCHIVE' })
  assert.deepEqual(parse('{"a":[1]}'), { a: [1] })
})
