import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Digest } from '#spec'
import { cacheKey, chainId } from './cache-key.ts'

test('the order of members does not count, the order of lists and every value do (B11)', () => {
  assert.equal(cacheKey('run', { a: 1, b: { c: 2, d: 3 } }), cacheKey('run', { b: { d: 3, c: 2 }, a: 1 }))
  const keys = [
    cacheKey('run', { args: ['a', 'b'] }),
    cacheKey('run', { args: ['b', 'a'] }),
    cacheKey('run', { args: ['a b'] }),
    cacheKey('copy', { args: ['a', 'b'] }),
    cacheKey('run', { args: ['a', 'b'], chain: 'sha256:1' }),
    cacheKey('run', { args: ['a', 'b'], platform: { os: 'linux', architecture: 'arm64' } }),
  ]
  assert.equal(new Set(keys).size, keys.length)
})

test('the chain ID is that of the image specification', () => {
  const sha = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest
  const [a, b, c] = [sha('a'), sha('b'), sha('c')]
  assert.equal(chainId([]), '')
  assert.equal(chainId([a]), a)
  assert.equal(chainId([a, b, c]), sha(`${sha(`${a} ${b}`)} ${c}`))
})
