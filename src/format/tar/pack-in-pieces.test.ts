import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PackedEntry, packTar } from './pack.ts'
import { type PieceEntry, packTarInPieces } from './pack-in-pieces.ts'
import { type FileBytes, PIECE_SIZE } from './tar-pieces.ts'

const content = (size: number) => Buffer.from(Uint8Array.from({ length: size }, (_, index) => index % 251))
const named = (name: string, size: number) => ({ name, type: 'file' as const, size })

/** Counts what is open, and spoils what is behind the bytes, as the contract lets it. */
function openable(bytes: Buffer, counted: { open: number }): () => FileBytes {
  return () => {
    counted.open++
    return {
      readInto(target, at, length, offset) {
        target.set(bytes.subarray(offset, offset + length), at)
        target.subarray(at + length, at + length + 1).fill(0xee)
      },
      [Symbol.dispose]: () => void counted.open--,
    }
  }
}

const SIZES = [0, 1, 511, 512, 70_000, PIECE_SIZE - 1536, PIECE_SIZE - 512, PIECE_SIZE, 3 * PIECE_SIZE + 5]

test('a tar in pieces has the bytes of packTar, whatever form the data has', async () => {
  const counted = { open: 0 }
  const plain: PackedEntry[] = []
  const now: PieceEntry[] = []
  const later: PieceEntry[] = []
  for (const size of SIZES) {
    const bytes = content(size)
    for (const form of ['bytes', 'file', 'chunks', 'promised'] as const) {
      const entry = named(`${form}-${size}`, size)
      plain.push({ entry, data: bytes })
      if (form === 'bytes') now.push({ entry, data: bytes })
      if (form === 'file') now.push({ entry, data: openable(bytes, counted) })
      if (form === 'chunks') now.push({ entry, data: () => [bytes.subarray(0, 7), bytes.subarray(7)] })
      if (form === 'promised') now.push({ entry, data: async () => [bytes] })
    }
  }
  const late = { entry: named('late', 5), data: content(5) }
  plain.push({ entry: { name: 'directory', type: 'directory' } }, late)
  later.push({ entry: { name: 'directory', type: 'directory' } }, late)
  const groups = async function* () {
    yield now
    yield (async function* () {
      yield* later
    })()
  }
  const pieces = await Array.fromAsync(packTarInPieces(groups()))
  const expected = Buffer.concat(await Array.fromAsync(packTar(plain)))
  assert.ok(Buffer.concat(pieces).equals(expected))
  assert.equal(counted.open, 0, 'a file stayed open')
  assert.ok(pieces.slice(0, -1).every(({ length }) => length === PIECE_SIZE))
})

test('pieces are made of memory that is given', async () => {
  const used = Buffer.allocUnsafeSlow(PIECE_SIZE).fill(0xff)
  const entries = [{ entry: named('f', 3), data: Buffer.from('abc') }]
  const [piece] = await Array.fromAsync(packTarInPieces([entries], { take: () => used.buffer }))
  assert.equal(piece!.buffer, used.buffer)
  assert.ok(Buffer.from(piece!).equals(Buffer.concat(await Array.fromAsync(packTar(entries)))))
})

const WRONG: [string, PieceEntry['data']][] = [
  ['no data', undefined],
  ['fewer bytes', Buffer.from('abc')],
  ['more bytes', Buffer.from('abcde')],
  ['a stream that ends early', () => [Buffer.from('abc')]],
  ['a stream that goes on', () => [Buffer.from('abc'), Buffer.from('de')]],
]
for (const [what, data] of WRONG)
  test(`${what} than the entry says is refused`, async () => {
    const tar = packTarInPieces([[{ entry: named('f', 4), data }]])
    await assert.rejects(Array.fromAsync(tar), { code: 'SIZE_MISMATCH' })
  })
