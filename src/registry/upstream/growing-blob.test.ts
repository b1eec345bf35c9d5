import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { GrowingBlob } from './growing-blob.ts'

const CHUNK = 1 << 20
const bytes = Buffer.alloc(12 * CHUNK, 'abcdefghijk')

/** A blob, all of whose chunks but the last one have come. `reads` are the ranges that were read elsewhere. */
function grown({ withFile }: { withFile: boolean }) {
  const reads: string[] = []
  const from = (what: string, start: number, end = bytes.length) => {
    reads.push(`${what} ${start / CHUNK}-${end / CHUNK}`)
    return one(bytes.subarray(start, end))
  }
  const blob = new GrowingBlob({
    size: bytes.length,
    key: 'k',
    unfinished: withFile ? (_key, { start, end }) => from('file', start, end) : undefined,
    stored: async (start) => from('stored', start),
  })
  const add = (first: number, end: number) => {
    for (let at = first; at < end; at++) blob.add(bytes.subarray(at * CHUNK, (at + 1) * CHUNK))
  }
  return { blob, add, reads }
}

async function* one(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk
}

test('who reads along needs no store; the last byte comes when all is verified', async () => {
  const { blob, add, reads } = grown({ withFile: true })
  const reading = blob.read()
  let seen = 0
  for (let at = 0; at < 12; at++) {
    add(at, at + 1)
    seen += (await reading.next()).value!.byteLength
  }
  assert.equal(seen, bytes.length - 1)
  const last = reading.next()
  assert.equal(await Promise.race([last, new Promise((resolve) => setTimeout(resolve, 20, 'waits'))]), 'waits')
  blob.finish()
  assert.equal((await last).value!.byteLength, 1)
  assert.deepEqual([(await reading.next()).done, reads], [true, []])
})

test('who is late reads what is written already, and goes on with what comes', async () => {
  const { blob, add, reads } = grown({ withFile: true })
  add(0, 11)
  const late = buffer(blob.read())
  await new Promise((resolve) => setTimeout(resolve, 10))
  add(11, 12)
  blob.finish()
  assert.ok((await late).equals(bytes))
  assert.deepEqual(reads, ['file 0-7'])
})

test('where nothing can be read before it is complete, who is late waits for that', async () => {
  const { blob, add, reads } = grown({ withFile: false })
  add(0, 12)
  const late = buffer(blob.read())
  await new Promise((resolve) => setTimeout(resolve, 10))
  assert.deepEqual(reads, [])
  blob.finish()
  assert.ok((await late).equals(bytes))
  assert.deepEqual(reads, ['stored 0-12'])
})

test('all readers fail with the blob, those that wait and those that come', async () => {
  const { blob, add } = grown({ withFile: true })
  add(0, 2)
  const waiting = buffer(blob.read())
  await new Promise((resolve) => setTimeout(resolve, 10))
  blob.fail(new Error('wrong'))
  await assert.rejects(waiting, /wrong/)
  await assert.rejects(buffer(blob.read()), /wrong/)
  await assert.rejects(blob.stored, /wrong/)
})

test('an empty blob ends when it is verified', async () => {
  const empty = new GrowingBlob({ size: 0, key: 'k', unfinished: undefined, stored: async () => one(bytes) })
  empty.fail(new Error('wrong'))
  await assert.rejects(buffer(empty.read()), /wrong/)
})
