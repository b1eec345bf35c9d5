/** Gzip with a library in place of zlib, held against zlib: the same bytes or the same refusal. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { constants, crc32, deflateRawSync, gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { isBaleError } from '#base'
import { openIsal } from '#host/isal'
import { collect } from '../../../test/kit/scanned-tar.ts'
import { decompress } from './decompress.ts'
import { gzipEncoder, gzipParallel } from './gzip.ts'

const library = await openIsal()
const PINNED = {
  name: 'isa-l 2.0.30 level 3',
  digest: '91e68213bd710906d4fb26165decbe362e97d719bf20db80bd63e10050f7155c',
}
const skip = library ? false : 'libisal.so.2 is missing: apt-get install libisal2'

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** What comes out, or the code of the refusal. */
async function outcome(packed: Uint8Array, chunk: number, by?: typeof library): Promise<Buffer | string> {
  try {
    return await collect(decompress(chunked(packed, chunk), 'gzip', { library: by }))
  } catch (error) {
    assert.ok(isBaleError(error), String(error))
    return error.code
  }
}

async function same(packed: Uint8Array, what: string, chunks = [1 << 20, 1000, 7, 1]): Promise<Buffer | string> {
  const expected = await outcome(packed, 1 << 20)
  for (const chunk of chunks) {
    const got = await outcome(packed, chunk, library)
    if (typeof expected === 'string') assert.equal(got, expected, `${what}, in pieces of ${chunk}`)
    else assert.ok(expected.equals(got as Buffer), `${what}, in pieces of ${chunk}: ${String(got).slice(0, 40)}`)
  }
  return expected
}

interface Header {
  flags?: number
  extra?: Buffer
  name?: string
  comment?: string
  wrongChecksum?: boolean
}

/** A member with any header (RFC 1952 §2.3). */
function member(data: Uint8Array, header: Header = {}, deflated: Uint8Array = deflateRawSync(data)): Buffer {
  const { extra, name, comment } = header
  const flags = (header.flags ?? 0) | (extra ? 4 : 0) | (name === undefined ? 0 : 8) | (comment === undefined ? 0 : 16)
  const length = Buffer.alloc(2)
  length.writeUInt16LE(extra?.length ?? 0)
  const head = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3]),
    ...(extra ? [length, extra] : []),
    ...(name === undefined ? [] : [Buffer.from(`${name}\0`)]),
    ...(comment === undefined ? [] : [Buffer.from(`${comment}\0`)]),
  ])
  const checksum = Buffer.alloc(2)
  checksum.writeUInt16LE((crc32(head) & 0xffff) ^ (header.wrongChecksum ? 1 : 0))
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(data), 0)
  trailer.writeUInt32LE(data.length, 4)
  return Buffer.concat([head, ...(flags & 2 ? [checksum] : []), deflated, trailer])
}

const words = Buffer.from('the layer is written once and mounted; '.repeat(3000))
const noise = randomBytes(70_000)
const mixed = Buffer.concat([words, noise, words, Buffer.alloc(90_000)])

test('gzip by a library: headers of every kind are read or refused as by zlib', { skip }, async () => {
  const headers: [string, Header, boolean][] = [
    ['plain', {}, true],
    ['text', { flags: 1 }, true],
    ['name', { name: 'layer.tar' }, true],
    ['long name', { name: 'n'.repeat(300_000) }, true],
    ['empty name and comment', { name: '', comment: '' }, true],
    ['extra', { extra: Buffer.from('RA\x02\0ab') }, true],
    ['longest extra', { extra: Buffer.alloc(65_535, 1) }, true],
    ['empty extra', { extra: Buffer.alloc(0) }, true],
    ['checksum', { flags: 2 }, true],
    ['all', { flags: 3, extra: randomBytes(99), name: 'a', comment: 'b' }, true],
    ['wrong checksum', { flags: 2, name: 'a', wrongChecksum: true }, false],
    ['reserved flag', { flags: 0x20 }, false],
    ['reserved flags', { flags: 0xc0 }, false],
  ]
  for (const [what, header, good] of headers) {
    const result = await same(Buffer.concat([member(words, header), member(noise, header)]), what, [1 << 20, 1009, 3])
    assert.equal(typeof result === 'string' ? result : result.length, good ? words.length + noise.length : INVALID)
  }
  for (const at of [0, 1, 2]) {
    const wrong = member(words)
    wrong[at]! ^= 0x40
    assert.equal(await same(wrong, `byte ${at} of the header`), INVALID)
  }
})

const INVALID = 'INVALID_COMPRESSION'

test('gzip by a library: blocks of every kind, and members of every size, give the same bytes', { skip }, async () => {
  const settings = [{ level: 0 }, { level: 1 }, { level: 9 }, { strategy: constants.Z_FIXED }]
  const more = [
    { strategy: constants.Z_HUFFMAN_ONLY },
    { strategy: constants.Z_RLE },
    { memLevel: 1 },
    { windowBits: 9 },
  ]
  for (const data of [Buffer.alloc(0), Buffer.from('x'), words, noise, mixed, Buffer.alloc(700_000)])
    for (const setting of [...settings, ...more]) {
      const what = `${data.length} bytes with ${JSON.stringify(setting)}`
      const packed = gzipSync(data, setting)
      assert.ok((await same(packed, what, [1 << 20, 4096, 61])) instanceof Buffer)
      assert.ok(
        (await same(Buffer.concat([packed, packed, gzipSync(''), packed]), what, [1 << 20, 997])) instanceof Buffer,
      )
    }
})

test('gzip by a library: thousands of small members, also between large ones', { skip }, async () => {
  const small = Array.from({ length: 3000 }, (_, index) => gzipSync(`member ${index}; `.repeat(1 + (index % 90))))
  await same(Buffer.concat(small), 'small members', [1 << 20, 5003])
  const large = gzipSync(Buffer.concat([mixed, mixed, mixed]), { level: 1 })
  const between = [large, ...small.slice(0, 50), large, large, ...small.slice(0, 5)]
  assert.ok((await same(Buffer.concat(between), 'small and large members', [1 << 20, 4099])) instanceof Buffer)
})

test('gzip by a library: what is cut, damaged or followed by anything is refused as by zlib', { skip }, async () => {
  const packed = Buffer.concat([member(words, { name: 'first' }), member(Buffer.from('second'))])
  for (let length = 0; length < packed.length; length++)
    await same(packed.subarray(0, length), `cut at ${length}`, [13])
  for (const at of [-8, -5, -4, -1]) {
    const wrong = Buffer.from(packed)
    wrong[wrong.length + at]! ^= 1
    assert.equal(await same(wrong, `byte ${at} of the trailer`), INVALID)
  }
  const zeros = Buffer.alloc(600)
  assert.ok((await same(Buffer.concat([packed, zeros]), 'padding')) instanceof Buffer)
  for (const junk of [Buffer.from('junk'), Buffer.of(0x1f), Buffer.of(0x1f, 0x8b), Buffer.of(0x1f, 0)])
    for (const before of [[], [zeros]])
      assert.equal(await same(Buffer.concat([packed, ...before, junk]), `${junk.toString('hex')} behind`), INVALID)
  assert.equal(await same(Buffer.concat([packed, zeros, packed]), 'a member behind padding'), INVALID)
})

test('gzip by a library: streams changed at random end as with zlib', { skip }, async () => {
  const made = fc.record({
    data: fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.string({ maxLength: 4000 }).map((text) => Buffer.from(text)),
      fc.integer({ min: 0, max: 200_000 }).map((length) => mixed.subarray(0, length)),
    ),
    level: fc.integer({ min: 0, max: 9 }),
    strategy: fc.integer({ min: 0, max: 4 }),
    changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
    chunk: fc.integer({ min: 1, max: 70_000 }),
  })
  await fc.assert(
    fc.asyncProperty(made, async ({ data, level, strategy, changes, chunk }) => {
      const packed = gzipSync(data, { level, strategy })
      for (const [at, value] of changes) packed[at % packed.length] = value
      await same(packed, 'changed', [chunk])
    }),
    { numRuns: 250 },
  )
})

test('gzip by a library: where it takes a stream that zlib refuses, zlib says that codes are left unused', {
  skip,
}, async () => {
  let differences = 0
  const made = fc.record({
    length: fc.integer({ min: 1, max: 2000 }),
    changes: fc.array(fc.tuple(fc.nat({ max: 80 }), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 2 }),
  })
  await fc.assert(
    fc.asyncProperty(made, async ({ length, changes }) => {
      const deflated = deflateRawSync(mixed.subarray(words.length - length, words.length + length))
      for (const [at, value] of changes) deflated[at % deflated.length]! ^= value
      const bare = await inflated(deflated)
      let expected: Buffer | string
      try {
        expected = gunzipSync(member(bare ?? Buffer.alloc(0), {}, deflated))
      } catch (error) {
        expected = (error as Error).message
      }
      if (bare && expected instanceof Buffer) assert.ok(bare.equals(expected))
      else if (bare) {
        differences++
        assert.match(String(expected), /^invalid (code lengths|literal\/lengths|distances) set$/)
      } else assert.equal(typeof expected, 'string')
    }),
    { numRuns: 600 },
  )
  assert.ok(differences < 200, `${differences}`)
})

/** The output of a whole bare stream, whatever its checksum is. */
async function inflated(deflated: Buffer): Promise<Buffer | undefined> {
  const inflater = library!.inflater()
  inflater.start()
  inflater.input.set(deflated)
  const behind = [inflater.input, inflater.output].map((memory) => Buffer.from(memory.buffer, memory.byteLength))
  for (const bytes of behind) bytes.fill(0xa5)
  try {
    const { at, made, ended } = await inflater.inflate(0, deflated.length, 0, true)
    return ended && at === deflated.length ? Buffer.from(inflater.output.subarray(0, made)) : undefined
  } catch (error) {
    assert.match(String(error), /invalid/)
    return undefined
  } finally {
    for (const bytes of behind) assert.ok(bytes.length >= 4096 && bytes.every((byte) => byte === 0xa5))
  }
}

test('gzip by a library: an output beyond the caps ends with LIMIT_EXCEEDED', { skip }, async () => {
  const bomb = gzipSync(Buffer.alloc(80 << 20))
  for (const limits of [{ outputBytes: 1 << 20 }, { ratio: 500 }])
    await assert.rejects(
      async () => {
        for await (const _ of decompress(chunked(bomb, 65_536), 'gzip', { limits, library })) assert.ok(_)
      },
      (error) => isBaleError(error, 'LIMIT_EXCEEDED'),
    )
})

test('gzip by a library: lent memory holds until the next chunk is asked for; what is given holds for ever', {
  skip,
}, async () => {
  const data = Buffer.concat(Array.from({ length: 60 }, (_, index) => Buffer.alloc(100_000, index + 1)))
  const packed = gzipSync(data, { level: 1 })
  const memories = new Set<ArrayBufferLike>()
  let at = 0
  for await (const bytes of decompress(chunked(packed, 4000), 'gzip', { library, lend: true })) {
    memories.add(bytes.buffer)
    await new Promise((later) => setTimeout(later, 2))
    assert.ok(data.subarray(at, at + bytes.length).equals(bytes))
    at += bytes.length
  }
  assert.equal(at, data.length)
  assert.equal(memories.size, 3)
  const kept: Uint8Array[] = []
  for await (const bytes of decompress(chunked(packed, 4000), 'gzip', { library })) kept.push(bytes)
  assert.ok(Buffer.concat(kept).equals(data))
})

test('gzip by a library: errors of the source come through, an early end returns it', { skip }, async () => {
  const mine = new Error('network down')
  const packed = gzipSync(noise)
  async function* broken() {
    yield packed.subarray(0, 50_000)
    throw mine
  }
  await assert.rejects(collect(decompress(broken(), 'gzip', { library })), (error) => error === mine)
  let returned = false
  async function* endless() {
    try {
      for (;;) yield packed
    } finally {
      returned = true
    }
  }
  for await (const _ of decompress(endless(), 'gzip', { library })) break
  assert.ok(returned)
})

test('gzip made by a library: other programs read it, and the bytes depend on the input alone', { skip }, async () => {
  const sample = Buffer.concat([mixed, randomBytes(1_300_000), mixed, mixed.subarray(0, 77_777)])
  for (const data of [Buffer.alloc(0), Buffer.from('a'), noise, sample, Buffer.alloc(5 << 20)]) {
    const packed = await collect(gzipParallel(chunked(data, 65_536), { library, workers: 3 }))
    assert.ok(gunzipSync(packed).equals(data))
    assert.ok(execFileSync('gzip', ['-dc'], { input: packed, maxBuffer: 1 << 26 }).equals(data))
    assert.ok(data.equals((await outcome(packed, 9999, library)) as Buffer))
    const others = [
      gzipParallel(chunked(data, 1_234_567), { library, workers: 1 }),
      gzipParallel(chunked(data, 33), { library }),
      gzipParallel(chunked(data, 65_536), { library: await unused(), workers: 2 }),
    ]
    for (const other of await Promise.all(others.map(collect))) assert.ok(other.equals(packed))
  }
})

type Fresh = { openIsal: typeof openIsal }

/** The same library without memory that was used before. */
async function unused() {
  const fresh = (await import(`${new URL('open-isal.ts', import.meta.resolve('#host/isal'))}?fresh`)) as Fresh
  return fresh.openIsal()
}

test('gzip made by a library: the bytes of one version are pinned, so that a change of the blocks is seen', {
  skip: skip || (library?.name !== PINNED.name || process.arch !== 'x64' ? `pinned for ${PINNED.name} on x64` : false),
}, async () => {
  const parts = Array.from({ length: 40_000 }, (_, index) =>
    createHash('sha512')
      .update(String(index % 700))
      .digest(),
  )
  const packed = await collect(gzipParallel(chunked(Buffer.concat(parts), 65_536), { library }))
  assert.equal(createHash('sha256').update(packed).digest('hex'), PINNED.digest)
})

test('what made a blob is named with version and level', () => {
  assert.equal(gzipEncoder(), `zlib ${process.versions.zlib} level 4`)
  if (library) assert.match(gzipEncoder({ library }), /^isa-l 2\.\d+\.\d+ level \d$/)
})
