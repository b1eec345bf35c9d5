import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { createPiecePool } from '#base'
import { collect } from '../../../test/kit/scanned-tar.ts'
import { gzipParallel, gzipStream, PIECE_BYTES } from './gzip.ts'
import { zstdStream } from './zstd.ts'

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The same on every machine, compressible, with matches across block borders. */
function sample(length: number): Buffer {
  const parts: Buffer[] = []
  for (let made = 0, index = 0; made < length; index++) {
    const part = createHash('sha512')
      .update(String(index % 700))
      .digest()
    parts.push(part)
    made += part.length
  }
  return Buffer.concat(parts).subarray(0, length)
}

const sizes = [0, 1, 1 << 20, (1 << 20) + 1, 3_500_000]

test('gzip: the bytes do not depend on workers nor on how the input is cut, and other readers agree', async () => {
  for (const size of sizes) {
    const bytes = sample(size)
    const packed = await collect(gzipParallel(chunked(bytes, 65536), { workers: 4 }))
    assert.ok(gunzipSync(packed).equals(bytes), `node reads ${size} bytes`)
    assert.ok(
      execFileSync('gzip', ['-dc'], { input: packed, maxBuffer: 1 << 26 }).equals(bytes),
      `gzip reads ${size} bytes`,
    )
    assert.ok((await collect(gzipParallel(chunked(bytes, 7_000_000), { workers: 1 }))).equals(packed))
    assert.ok((await collect(gzipStream(chunked(bytes, 12_345)))).equals(packed))
  }
})

test('gzip and zstd: pieces of a pool are given back and used again, and the bytes are the same', async () => {
  for (const compress of [gzipParallel, zstdStream]) {
    for (const size of [...sizes, 20 << 20]) {
      const bytes = sample(size)
      const taken = new Set<ArrayBufferLike>()
      const pieces = createPiecePool(PIECE_BYTES)
      async function* source() {
        for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
          const piece = pieces.take()
          taken.add(piece.buffer)
          const part = bytes.subarray(at, at + PIECE_BYTES)
          piece.set(part)
          yield piece.subarray(0, part.length)
        }
      }
      const expected = await collect(compress(chunked(bytes, 65536)))
      assert.ok((await collect(compress(source(), { pieces, workers: 3 }))).equals(expected), `${size} bytes`)
      assert.ok(taken.size <= 6, `${taken.size} pieces for ${size} bytes`)
      // Chunks of other memory go through as well, and are left alone.
      const mixed = compress(chunked(bytes, PIECE_BYTES), { pieces })
      assert.ok((await collect(mixed)).equals(expected))
    }
  }
})

const PINNED_ZLIB = '1.3.2.1-motley-8002e91'
const otherZlib =
  process.versions.zlib === PINNED_ZLIB && process.arch === 'x64'
    ? false
    : `the digest is that of zlib ${PINNED_ZLIB} on x64, this is ${process.versions.zlib} on ${process.arch}`

test('gzip: the bytes of level 4 are pinned, so that a change of the blocks is seen', { skip: otherZlib }, async () => {
  const packed = await collect(gzipParallel(chunked(sample(2_500_000), 65536)))
  assert.equal(
    createHash('sha256').update(packed).digest('hex'),
    '152ed777ef54a2e3eae69f3ef5f49a6a75cb1582a7ebfac8e32f91e5ae2cd8d7',
  )
})

test('gzip: the dictionary of the block before is used and every level works', async () => {
  const random = randomBytes(30_000)
  const repeated = Buffer.concat(Array.from({ length: 80 }, () => random))
  for (const level of [1, 6, 9]) {
    const packed = await collect(gzipParallel(chunked(repeated, 1 << 20), { level }))
    assert.ok(packed.length < 60_000, `level ${level}: ${packed.length} bytes; each block alone would need 90000`)
    assert.ok(gunzipSync(packed).equals(repeated))
  }
})

test('gzip: an error of the source comes through, an early end and an abort stop it', async () => {
  const mine = new Error('disk error')
  async function* broken() {
    yield sample(2_000_000)
    throw mine
  }
  await assert.rejects(collect(gzipParallel(broken())), (error) => error === mine)
  let returned = false
  async function* endless() {
    try {
      for (;;) yield sample(300_000)
    } finally {
      returned = true
    }
  }
  for await (const bytes of gzipParallel(endless())) if (bytes.length > 100) break
  assert.ok(returned)
  await assert.rejects(collect(gzipParallel(endless(), { signal: AbortSignal.abort(mine) })), (error) => error === mine)
})

const zstd = existsSync('/usr/bin/zstd') ? false : '/usr/bin/zstd is missing'

test('zstd: the zstd program reads what is written, and the same input gives the same bytes', {
  skip: zstd,
}, async () => {
  for (const size of sizes) {
    const bytes = sample(size)
    const packed = await collect(zstdStream(chunked(bytes, 65536)))
    assert.ok(execFileSync('/usr/bin/zstd', ['-dc'], { input: packed, maxBuffer: 1 << 26 }).equals(bytes))
    assert.ok((await collect(zstdStream(chunked(bytes, 65536), { level: 3 }))).equals(packed))
  }
})
