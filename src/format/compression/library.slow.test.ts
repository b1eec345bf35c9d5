import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openIsal } from '#host/isal'
import { decompress } from './decompress.ts'
import { gzipParallel } from './gzip.ts'

const library = await openIsal()
const skip = library ? false : 'libisal.so.2 is missing: apt-get install libisal2'

/** The trailer holds the length modulo 2^32, and counters of 32 bits go round. */
test('gzip by a library: more than 4 GiB in one member', { skip }, async () => {
  const piece = Buffer.alloc(1 << 20, 'zeros and a little more')
  const pieces = 4096 + 3
  async function* source() {
    for (let count = 0; count < pieces; count++) yield piece
  }
  for (const inflating of [library, undefined]) {
    let made = 0
    for await (const bytes of decompress(gzipParallel(source(), { library }), 'gzip', {
      library: inflating,
      lend: true,
    })) {
      made += bytes.length
    }
    assert.equal(made, pieces * piece.length)
  }
})
