import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPiecePool } from './piece-pool.ts'

test('memory that was given back is taken again, and none is taken twice at a time', () => {
  const pool = createPiecePool(1000)
  const one = pool.take()
  const two = pool.take()
  assert.equal(one.length, 1000)
  assert.notEqual(one.buffer, two.buffer)
  // The last piece of a stream is part of one.
  const part = one.subarray(0, 3)
  assert.ok(pool.isTaken(part))
  pool.giveBack(part)
  assert.ok(!pool.isTaken(part))
  // Given back twice, it is there once.
  pool.giveBack(one)
  assert.equal(pool.take().buffer, one.buffer)
  assert.ok(![one.buffer, two.buffer].includes(pool.take().buffer))
})

test('memory of others is left alone', () => {
  const pool = createPiecePool(10)
  const other = Buffer.alloc(10)
  assert.ok(!pool.isTaken(other))
  pool.giveBack(other)
  pool.giveBack(createPiecePool(10).take())
  assert.notEqual(pool.take().buffer, other.buffer)
})
