import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { isBaleError } from '#base'
import { collect } from '../../../test/kit/scanned-tar.ts'
import { type DecompressionLimits, decompress } from './decompress.ts'
import { type Compression, detectCompression, detectStream } from './detect.ts'
import { decompressExternally } from './external.ts'

async function* chunked(bytes: Uint8Array, size = 65536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const inflated = (bytes: Uint8Array, kind: Compression, chunk?: number, limits?: Partial<DecompressionLimits>) =>
  collect(decompress(chunked(bytes, chunk), kind, { limits }))

const refused = (bytes: Uint8Array, kind: Compression, chunk?: number) =>
  assert.rejects(inflated(bytes, kind, chunk), (error) => isBaleError(error, 'INVALID_COMPRESSION'))

const skippable = (bytes: number) => {
  const frame = Buffer.alloc(8 + bytes, 7)
  frame.writeUInt32LE(0x184d2a53, 0)
  frame.writeUInt32LE(bytes, 4)
  return frame
}

const run = (program: string, input: Uint8Array, args: string[] = []) =>
  execFileSync(program, ['-c', ...args], { input, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'ignore'] })

const text = Buffer.concat([Buffer.from('bale '.repeat(100_000)), randomBytes(300_000)])
const missing = (path: string) => (existsSync(path) ? false : `${path} is missing`)

test('compressions are told by their first bytes; unknown and empty streams are none', () => {
  assert.equal(detectCompression(gzipSync('a')), 'gzip')
  assert.equal(detectCompression(zstdCompressSync('a')), 'zstd')
  assert.equal(detectCompression(skippable(3)), 'zstd')
  assert.equal(detectCompression(Buffer.from('fd377a585a00', 'hex')), 'xz')
  assert.equal(detectCompression(Buffer.from('BZh91AY')), 'bzip2')
  for (const plain of ['', 'B', 'BZh', 'BZhx12', '\x1f', 'usr/\0\0\0'])
    assert.equal(detectCompression(Buffer.from(plain)), 'none')
})

test('a stream is detected from chunks of one byte, and stays whole', async () => {
  const bytes = gzipSync('hello')
  const { compression, stream } = await detectStream(chunked(bytes, 1))
  assert.equal(compression, 'gzip')
  assert.ok((await collect(stream)).equals(bytes))
  assert.equal((await collect((await detectStream(chunked(Buffer.from('ab')))).stream)).toString(), 'ab')
})

for (const [kind, program, args] of [
  ['gzip', '/usr/bin/gzip', ['-6']],
  ['zstd', '/usr/bin/zstd', ['-3']],
  ['zstd', '/usr/bin/zstd', ['-19', '--long=27']],
  ['xz', '/usr/bin/xz', []],
  ['bzip2', '/usr/bin/bzip2', []],
] as const)
  test(`what ${program} ${args.join(' ')} made is read`, { skip: missing(program) }, async () => {
    const packed = run(program, text, [...args])
    assert.equal(detectCompression(packed), kind)
    for (const chunk of [1 << 20, 1000]) assert.ok((await inflated(packed, kind, chunk)).equals(text))
    for (const length of [1, packed.length >> 1, packed.length - 1]) await refused(packed.subarray(0, length), kind)
    await refused(Buffer.concat([packed, Buffer.from('junk behind the end')]), kind)
    const damaged = Buffer.from(packed)
    damaged.fill(0x55, packed.length - 40, packed.length - 4)
    await refused(damaged, kind)
  })

test('an uncompressed stream goes through untouched', async () => {
  assert.ok((await inflated(text, 'none')).equals(text))
})

test('an empty stream is no compressed stream (T22)', async () => {
  for (const kind of ['gzip', 'zstd', 'xz', 'bzip2'] as const) await refused(Buffer.alloc(0), kind)
})

test('gzip: many members are read fully, trailing zeros are padding, anything else is refused (T22)', async () => {
  const members = Buffer.concat(Array.from({ length: 50 }, (_, index) => gzipSync(`member ${index};`)))
  const whole = Array.from({ length: 50 }, (_, index) => `member ${index};`).join('')
  for (const chunk of [1, 7, 64, 1 << 20]) {
    assert.equal((await inflated(members, 'gzip', chunk)).toString(), whole)
    assert.equal((await inflated(Buffer.concat([members, Buffer.alloc(5000)]), 'gzip', chunk)).toString(), whole)
    await refused(Buffer.concat([members, Buffer.from('junk')]), 'gzip', chunk)
    await refused(Buffer.concat([members, Buffer.alloc(600), Buffer.from('junk')]), 'gzip', chunk)
    await refused(Buffer.concat([members, Buffer.alloc(600), gzipSync('hidden')]), 'gzip', chunk)
  }
})

test('gzip: a stream cut anywhere but between members is refused (T22)', async () => {
  const first = gzipSync('first')
  const packed = Buffer.concat([first, gzipSync('second')])
  for (let length = 0; length < packed.length; length++)
    if (length === first.length) assert.equal((await inflated(packed.subarray(0, length), 'gzip')).toString(), 'first')
    else await refused(packed.subarray(0, length), 'gzip')
})

test('gzip: a wrong checksum or length is refused (T22)', async () => {
  for (const at of [-8, -4]) {
    const packed = Buffer.from(gzipSync('hello'))
    packed[packed.length + at]! ^= 1
    await refused(packed, 'gzip')
  }
})

test('zstd: many frames and skippable frames are read fully, however they are cut (T23)', async () => {
  const frames = Array.from({ length: 200 }, (_, index) => [
    zstdCompressSync(`frame ${index};`, { params: { [constants.ZSTD_c_checksumFlag]: index % 2 } }),
    ...(index % 3 === 0 ? [skippable(index)] : []),
    ...(index % 5 === 0 ? [zstdCompressSync('')] : []),
  ]).flat()
  const packed = Buffer.concat([skippable(0), ...frames, skippable(11)])
  const whole = Array.from({ length: 200 }, (_, index) => `frame ${index};`).join('')
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 300 }), async (chunk) => {
      assert.equal((await inflated(packed, 'zstd', chunk)).toString(), whole)
    }),
    { numRuns: 12 },
  )
  assert.equal((await inflated(packed, 'zstd')).toString(), whole)
})

test('zstd: a stream cut anywhere but between frames is refused (T23)', async () => {
  const first = zstdCompressSync('first', { params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  const packed = Buffer.concat([first, skippable(4), zstdCompressSync('second')])
  const borders = [first.length, first.length + 12]
  for (let length = 0; length < packed.length; length++)
    if (borders.includes(length)) assert.equal((await inflated(packed.subarray(0, length), 'zstd')).toString(), 'first')
    else await refused(packed.subarray(0, length), 'zstd')
})

test('zstd: a window of 2 GiB, a huge single segment, a dictionary and reserved bits are refused (T23)', async () => {
  const header = (...bytes: number[]) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...bytes, 1, 0, 0])
  await refused(header(0x00, 21 << 3), 'zstd')
  await refused(header(0xe0, 0, 0, 0, 0, 1, 0, 0, 0), 'zstd')
  await refused(header(0x21, 9, 0), 'zstd')
  await refused(header(0x08, 0), 'zstd')
  await refused(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 7, 0, 0]), 'zstd')
})

test('an output beyond the caps ends with LIMIT_EXCEEDED (T22)', async () => {
  const zeros = Buffer.alloc(80 << 20)
  for (const packed of [gzipSync(zeros), zstdCompressSync(zeros)]) {
    const kind = detectCompression(packed)
    const limited = (limits: Partial<DecompressionLimits>) =>
      assert.rejects(
        async () => {
          for await (const _ of decompress(chunked(packed), kind, { limits })) assert.ok(_)
        },
        (error) => isBaleError(error, 'LIMIT_EXCEEDED'),
      )
    await limited({ outputBytes: 1 << 20 })
    await limited({ ratio: 500 })
  }
})

test('whoever stops reading a stream of a program early is not kept waiting for it', { timeout: 60_000 }, async () => {
  for (const [kind, path] of [
    ['xz', '/usr/bin/xz'],
    ['bzip2', '/usr/bin/bzip2'],
  ] as const) {
    if (!existsSync(path)) continue
    // Whether output that nobody reads is left over depends on the moment: small ones, and ones that fill the pipe.
    for (const size of [1000, 300_000]) {
      const packed = run(path, Buffer.alloc(size, 'text that is packed'))
      for (let times = 0; times < 40; times++) {
        for await (const _ of decompress(chunked(packed, times % 2 ? 100 : packed.length), kind)) break
      }
    }
  }
})

test('an error of the source comes through as it is, and an early end returns the source', async () => {
  const mine = new Error('network down')
  async function* broken() {
    yield gzipSync(randomBytes(100_000)).subarray(0, 50_000)
    throw mine
  }
  await assert.rejects(collect(decompress(broken(), 'gzip')), (error) => error === mine)
  for (const [kind, packed] of [
    ['gzip', gzipSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['xz', existsSync('/usr/bin/xz') ? run('/usr/bin/xz', text) : undefined],
  ] as const) {
    if (!packed) continue
    let returned = false
    const source = (async function* () {
      try {
        for (;;) yield* chunked(packed, 4096)
      } finally {
        returned = true
      }
    })()
    for await (const bytes of decompress(source, kind)) {
      assert.ok(bytes.length > 0)
      break
    }
    assert.ok(returned, kind)
  }
})

test('an aborted signal stops decompression', async () => {
  const stop = new AbortController()
  const packed = gzipSync(randomBytes(5 << 20))
  await assert.rejects(async () => {
    for await (const bytes of decompress(chunked(packed, 65536), 'gzip', { signal: stop.signal })) {
      assert.ok(bytes)
      stop.abort(new Error('stopped'))
    }
  }, /stopped/)
})

test('a missing program is UNSUPPORTED_HOST with the package to install', async () => {
  await assert.rejects(
    collect(decompressExternally(chunked(Buffer.from('x')), 'xz', { xz: '/nonexistent/xz' })),
    (error) => isBaleError(error, 'UNSUPPORTED_HOST') && error.hint === 'apt-get install xz-utils',
  )
})

test('big streams keep their digest through every kind', async () => {
  const big = Buffer.concat(Array.from({ length: 12 }, () => randomBytes(1 << 20)))
  const digest = createHash('sha256').update(big).digest('hex')
  for (const [kind, packed] of [
    ['gzip', gzipSync(big, { level: 1 })],
    ['zstd', zstdCompressSync(big)],
  ] as const) {
    const hash = createHash('sha256')
    for await (const bytes of decompress(chunked(packed), kind)) hash.update(bytes)
    assert.equal(hash.digest('hex'), digest)
  }
})
