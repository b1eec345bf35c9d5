import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Frame, readFrames, writeFrame } from './frames.ts'

const frame = fc
  .tuple(fc.constantFrom('a', 'b', 'z'), fc.uint8Array({ maxLength: 300 }))
  .map(([kind, bytes]): Frame => ({ kind, bytes: Buffer.from(bytes) }))

async function written(frames: readonly Frame[]): Promise<Buffer> {
  const stream = new PassThrough()
  const all = Array.fromAsync(stream) as Promise<Buffer[]>
  for (const { kind, bytes } of frames) await writeFrame(stream, kind, bytes)
  stream.end()
  await once(stream, 'end')
  return Buffer.concat(await all)
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test('messages come as they were sent, however they are cut on their way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 6 }), fc.integer({ min: 1, max: 40 }), async (frames, size) => {
      const read = await Array.fromAsync(readFrames(pieces(await written(frames), size), 1000))
      assert.deepEqual(read, frames)
    }),
    { numRuns: 50 },
  )
})

test('a message that is too long or breaks off is an error', async () => {
  const bytes = await written([{ kind: 'a', bytes: Buffer.from('four') }])
  const read = (cut: Buffer, limit: number) => Array.fromAsync(readFrames(pieces(cut, 3), limit))
  await assert.rejects(read(bytes, 3), { code: 'LIMIT_EXCEEDED' })
  for (const end of [1, 5, 8]) await assert.rejects(read(bytes.subarray(0, end), 10), { code: 'INTERNAL' })
})
