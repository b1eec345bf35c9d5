import assert from 'node:assert/strict'
import { test } from 'node:test'
import { streamOf } from './stream-of.ts'

test('bytes are one chunk, and no bytes are none', async () => {
  const bytes = new Uint8Array([1, 2])
  assert.deepEqual(await Array.fromAsync(streamOf(bytes)), [bytes])
  assert.deepEqual(await Array.fromAsync(streamOf(new Uint8Array())), [])
})
