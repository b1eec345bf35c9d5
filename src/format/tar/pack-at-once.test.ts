import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type NewTarEntry, packTar, packTarAtOnce } from './index.ts'

const MIB = 1 << 20

/** Files around the size of a piece, small ones before, between and after them. */
const files = [10, MIB - 1000, 0, 3 * MIB + 7, 700, 2 * MIB, 1].map((size, index) => ({
  entry: { name: `f${index}`, type: 'file', size } satisfies NewTarEntry,
  data: Buffer.alloc(size, 65 + index),
}))
const read = files.map(({ entry, data }) => ({
  entry,
  data: {
    readInto: (target: Uint8Array, at: number, length: number, offset: number) =>
      target.set(data.subarray(offset, offset + length), at),
  },
}))

for (const reuse of [false, true])
  test(`pieces that are ${reuse ? 'used again' : 'kept'} are the tar, each until the next but one is asked for`, async () => {
    const expected = Buffer.concat(await Array.fromAsync(packTar(files)))
    const got: Buffer[] = []
    const memory = new Set<ArrayBuffer>()
    let last: Uint8Array | undefined
    for (const piece of packTarAtOnce(read, { reuse })) {
      memory.add(piece.buffer)
      if (last) got.push(Buffer.from(last))
      last = piece
    }
    got.push(Buffer.from(last!))
    assert.ok(Buffer.concat(got).equals(expected))
    assert.equal(memory.size, reuse ? 2 : got.length)
  })
