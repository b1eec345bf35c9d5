import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { digestOf } from '#blob'
import type { PackedEntry } from '#format/tar'
import type { Digest } from '#spec'
import { hashedData } from './hashed-data.ts'

async function bytesOf(data: PackedEntry['data']): Promise<Buffer> {
  const opened = typeof data === 'function' ? await data() : (data ?? [])
  if (opened instanceof Uint8Array) return Buffer.from(opened)
  return Buffer.concat(await Array.fromAsync(opened))
}

/** The digest that is told, and the bytes that a reader gets. */
async function read(packed: PackedEntry) {
  let told: Digest | undefined
  const data = hashedData(packed, (digest) => {
    assert.equal(told, undefined, 'once')
    told = digest
  })
  return { bytes: await bytesOf(data), told }
}

const entry = (size: number, sparse?: { offset: number; length: number }[]): PackedEntry['entry'] => ({
  name: 'f',
  type: 'file',
  size,
  ...(sparse && { sparse }),
})

test('an empty file, bytes and streams have the digest of their bytes, which stay', async () => {
  const content = Buffer.from('some content')
  const stream = async function* () {
    yield content.subarray(0, 3)
    yield content.subarray(3)
  }
  const forms: PackedEntry['data'][] = [content, stream(), () => stream(), [content]]
  for (const data of forms) {
    const { bytes, told } = await read({ entry: entry(content.length), data })
    assert.deepEqual([bytes.toString(), told], ['some content', digestOf(content)])
  }
  assert.equal((await read({ entry: entry(0) })).told, digestOf(new Uint8Array()))
})

test('the digest of a sparse file is that of the file with its holes, however the data come', async () => {
  const part = fc.record({ hole: fc.nat(70_000), data: fc.uint8Array({ maxLength: 40 }) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 5 }),
      fc.nat(100),
      fc.integer({ min: 1, max: 50 }),
      async (...given) => {
        const [parts, end, step] = given
        const sparse: { offset: number; length: number }[] = []
        let size = 0
        for (const { hole, data } of parts) {
          sparse.push({ offset: size + hole, length: data.length })
          size += hole + data.length
        }
        size += end
        const whole = Buffer.alloc(size)
        for (const [at, { data }] of parts.entries()) whole.set(data, sparse[at]!.offset)
        const stored = Buffer.concat(parts.map(({ data }) => data))
        const chunks = function* () {
          for (let at = 0; at < stored.length; at += step) yield stored.subarray(at, at + step)
        }
        const { bytes, told } = await read({ entry: entry(size, sparse), data: chunks() })
        assert.ok(bytes.equals(stored))
        assert.equal(told, digestOf(whole))
      },
    ),
  )
})

test('data that nobody asked for are disposed of, and have no digest', () => {
  let isOpen = true
  const data = {
    [Symbol.iterator]: () => assert.fail('nothing was asked for'),
    [Symbol.dispose]() {
      isOpen = false
    },
  }
  const hashed = hashedData({ entry: entry(1), data }, () => assert.fail('nothing was read'))
  assert.ok(typeof hashed === 'object' && Symbol.dispose in hashed)
  hashed[Symbol.dispose]?.()
  assert.equal(isOpen, false)
})
