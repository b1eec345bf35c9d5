import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { packTar } from '#format'
import { temporaryDirectory } from '../../../../../test/kit/temporary.ts'
import { type ZipPart, type ZipShape, zipOf } from '../../../../../test/kit/zip.ts'
import { createTally } from '../tally.ts'
import { openRecords } from './open-records.ts'
import type { RecordOptions } from './record-file.ts'

async function place(name: string, bytes: Uint8Array | string) {
  const directory = await temporaryDirectory('bale-records')
  const path = join(directory.path, name)
  writeFileSync(path, bytes)
  return { path, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
}

async function read(path: string, options: Partial<RecordOptions> = {}) {
  const tally = createTally()
  const found: Record<string, string> = {}
  for await (const { name, bytes } of openRecords(path, { tally, ...options }))
    found[name] = Buffer.from(bytes).toString()
  return { found, tally }
}

const zip = (parts: ZipPart[], shape?: ZipShape) => place('all.zip', zipOf(parts, shape))
const tar = async (files: Record<string, string>) =>
  Buffer.concat(
    await Array.fromAsync(
      packTar(
        Object.entries(files).map(([name, data]) => ({
          entry: { name, type: 'file' as const, size: data.length },
          data: Buffer.from(data),
        })),
      ),
    ),
  )

const FILES = { 'a.json': '{"a":1}', 'b/c.json': 'x'.repeat(5000), 'd.txt': 'other' }

test('a zip archive gives its files, with and without compression, in both sizes of directory', async () => {
  const parts = Object.entries(FILES).map(([name, data], index) => ({ name, data, stored: index === 0 }))
  for (const zip64 of [false, true]) {
    await using archive = await zip([{ name: 'b/', data: '' }, ...parts], { zip64 })
    assert.deepEqual((await read(archive.path)).found, FILES)
    const { found } = await read(archive.path, { wants: (name) => name.endsWith('.json') })
    assert.deepEqual(Object.keys(found), ['a.json', 'b/c.json'])
  }
})

test('tars give their files, compressed or not; a file alone is its own record', async () => {
  const plain = await tar(FILES)
  for (const [name, bytes] of Object.entries({ plain, gzip: gzipSync(plain), zstd: zstdCompressSync(plain) })) {
    await using archive = await place(name, bytes)
    assert.deepEqual((await read(archive.path)).found, FILES, name)
  }
  await using single = await place('one.json', '{"id":1}')
  assert.deepEqual((await read(single.path)).found, { [single.path]: '{"id":1}' })
})

test('a folder gives the files below it, but not those that links lead to, nor those of .git', async () => {
  await using directory = await temporaryDirectory('bale-records')
  const at = (name: string) => join(directory.path, name)
  for (const name of ['x', 'x/y', '.git']) mkdirSync(at(name))
  for (const name of ['a.json', 'x/y/b.json', '.git/c.json']) writeFileSync(at(name), name)
  symlinkSync('/etc', at('x/etc'))
  symlinkSync('/etc/passwd', at('passwd.json'))
  const { found } = await read(directory.path)
  assert.deepEqual(found, { [at('a.json')]: 'a.json', [at('x/y/b.json')]: 'x/y/b.json' })
})

test('a damaged member of a zip archive is skipped with a reason, and the others are read', async () => {
  const archive = zipOf([
    { name: 'good.json', data: 'good' },
    { name: 'flipped.json', data: 'stored content', stored: true },
    { name: 'larger.json', data: 'x'.repeat(100), says: { size: 20 } },
    { name: 'smaller.json', data: 'x'.repeat(100), says: { size: 200 } },
    { name: 'method.json', data: 'x', says: { method: 99 } },
    { name: 'secret.json', data: 'x', says: { flags: 1 } },
    { name: 'elsewhere.json', data: 'x', says: { offset: 7 } },
    { name: 'beyond.json', data: 'x', says: { offset: 0x7fffffff } },
    { name: 'cut.json', data: 'x', says: { compressedSize: 100_000 } },
    { name: '../../etc/passwd', data: 'a name only' },
    { name: 'last.json', data: 'last' },
  ])
  archive[archive.indexOf('stored content')]! ^= 1
  await using file = await place('all.zip', archive)
  const { found, tally } = await read(file.path)
  assert.deepEqual(found, { 'good.json': 'good', '../../etc/passwd': 'a name only', 'last.json': 'last' })
  assert.deepEqual(
    tally.reasons.map((reason) => reason.split(':')[0]),
    ['flipped', 'larger', 'smaller', 'method', 'secret', 'elsewhere', 'beyond', 'cut'].map((name) => `${name}.json`),
  )
})

test('a bomb is skipped or refused: one member that grows, many that do together, more files than are read', async () => {
  const zeros = Buffer.alloc(3_000_000)
  await using archive = await zip([
    { name: 'bomb.json', data: zeros },
    { name: 'liar.json', data: zeros, says: { size: 10 } },
    { name: 'small.json', data: 'small' },
  ])
  const { found, tally } = await read(archive.path, { limits: { recordBytes: 1_000_000 } })
  assert.deepEqual([found, tally.skipped], [{ 'small.json': 'small' }, 2])
  await assert.rejects(read(archive.path, { limits: { totalBytes: 3_000_000 } }), { code: 'LIMIT_EXCEEDED' })
  await assert.rejects(read(archive.path, { limits: { files: 2 } }), { code: 'LIMIT_EXCEEDED' })

  const bomb = await tar({ 'bomb.json': zeros.toString('latin1'), 'small.json': 'small' })
  await using packed = await place('all.tar.gz', gzipSync(bomb))
  const other = await read(packed.path, { limits: { recordBytes: 1_000_000 } })
  assert.deepEqual([other.found, other.tally.skipped], [{ 'small.json': 'small' }, 1])
  await assert.rejects(read(packed.path, { limits: { totalBytes: 1_000_000 } }), { code: 'LIMIT_EXCEEDED' })
  await assert.rejects(read(packed.path, { limits: { files: 1 } }), { code: 'LIMIT_EXCEEDED' })
})

test('an archive that is cut is refused', async () => {
  const whole = zipOf(Object.entries(FILES).map(([name, data]) => ({ name, data })))
  for (const length of [whole.length - 30, 40]) {
    await using archive = await place('all.zip', whole.subarray(0, length))
    await assert.rejects(read(archive.path), { code: 'INVALID_ARCHIVE' })
  }
  await using lying = await zip([{ name: 'a', data: 'a' }], { says: { entries: 5 } })
  await assert.rejects(read(lying.path), { code: 'INVALID_ARCHIVE' })
  const plain = await tar(FILES)
  await using cutTar = await place('all.tar', plain.subarray(0, 3000))
  await assert.rejects(read(cutTar.path), { code: 'INVALID_TAR' })
  await using cutGzip = await place('all.tgz', gzipSync(plain).subarray(0, 60))
  await assert.rejects(read(cutGzip.path), { code: 'INVALID_COMPRESSION' })
})

test('reading stops when it is cancelled', async () => {
  await using archive = await zip(Object.entries(FILES).map(([name, data]) => ({ name, data })))
  const stop = new AbortController()
  const reading = openRecords(archive.path, { tally: createTally(), signal: stop.signal })
  await reading.next()
  stop.abort(new Error('enough'))
  await assert.rejects(reading.next(), /enough/)
})
