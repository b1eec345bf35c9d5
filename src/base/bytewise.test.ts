import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewise } from './index.ts'

test('texts are ordered by their code units, not as a language does', () => {
  assert.deepEqual(['b', 'é', 'a', 'B', '', 'a'].sort(bytewise), ['', 'B', 'a', 'a', 'b', 'é'])
  assert.equal(bytewise('a', 'a'), 0)
})
