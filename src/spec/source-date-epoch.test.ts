import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSourceDateEpoch } from './source-date-epoch.ts'

test('seconds are read, nothing is nothing, and all else is refused', () => {
  assert.equal(parseSourceDateEpoch('0'), 0)
  assert.equal(parseSourceDateEpoch('1700000000'), 1_700_000_000)
  for (const text of [undefined, '']) assert.equal(parseSourceDateEpoch(text), undefined)
  for (const text of ['-1', '1.5', 'today', '1234567890123'])
    assert.throws(() => parseSourceDateEpoch(text), { code: 'INVALID_ARGUMENT' }, text)
})
