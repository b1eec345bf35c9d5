import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkJsonShape } from './check-json-shape.ts'

const check = (text: string) => checkJsonShape(Buffer.from(text), { what: 'it', depth: 3, code: 'INVALID_ARGUMENT' })

test('a document may be as deep as is said, and no deeper; what is quoted does not count', () => {
  for (const text of ['[[[]],[{}]]', '{"a":{"b":["[[[["]}}', '["\\"[[[["]', 'no JSON', ']]]'])
    assert.doesNotThrow(() => check(text), text)
  for (const text of ['[[[[', '{"a":[{"b":[]}]}']) assert.throws(() => check(text), { code: 'INVALID_ARGUMENT' }, text)
})

test('a document may have four million members in all', () => {
  check(`[${'0,'.repeat(3_999_999)}0]`)
  for (const part of ['0,', '[]'])
    assert.throws(() => check(`[${part.repeat(4_000_000)}`), { code: 'LIMIT_EXCEEDED' }, part)
})
