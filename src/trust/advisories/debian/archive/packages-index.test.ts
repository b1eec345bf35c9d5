import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packagesText } from '../../../../../test/kit/debian-mirror.ts'
import { createIndex, decodeIndex, type IndexOrigin } from './index-file.ts'
import { readPackages, type SourceRecords } from './packages-index.ts'

const ORIGIN: IndexOrigin = {
  uri: 'http://m.test',
  suite: 's',
  components: ['main'],
  date: 1,
  fetched: 2,
  files: ['f'],
}

async function read(text: string, pieceSize = 1 << 20): Promise<SourceRecords> {
  const records: SourceRecords = new Map()
  const bytes = Buffer.from(text)
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize)
  }
  await readPackages(pieces(), records)
  return records
}

const summary = (records: SourceRecords) =>
  [...records].map(
    ([source, { version, debs }]) => `${source} ${version} ${debs.map(({ text }) => text.split(' ')[0])}`,
  )

test('sources of binary packages: the newest, its version in brackets or that of the package, and its smallest ones', async () => {
  const records = await read(
    packagesText([
      { name: 'libssl3', source: 'openssl', version: '3.0.2-1', size: 9, path: 'pool/libssl3.deb' },
      { name: 'openssl', version: '3.0.2-1', size: 2, path: 'pool/openssl.deb' },
      { name: 'libssl1', source: 'openssl (1.1-1)', version: '3.9', size: 1, path: 'pool/old.deb' },
      { name: 'libssl-dev', source: 'openssl (3.0.2-1)', version: '3.0.2-1+b1', size: 5, path: 'pool/dev.deb' },
      { name: 'libssl-doc', source: 'openssl', version: '3.0.2-1', size: 1, path: 'pool/doc.deb' },
    ]),
  )
  assert.deepEqual(summary(records), ['openssl 3.0.2-1 pool/doc.deb,pool/openssl.deb,pool/dev.deb'])
})

test('an index is read alike in whatever pieces it comes', async () => {
  const text = packagesText([
    { name: 'aa', version: '1' },
    { name: 'bb', source: 'cc (1:2~rc1-3)', version: '2' },
    { name: 'dd', version: '4' },
  ])
  const whole = summary(await read(text))
  assert.equal(whole.length, 3)
  for (let size = 1; size < 40; size++) assert.deepEqual(summary(await read(text, size)), whole, `${size} bytes`)
  assert.deepEqual(summary(await read(text.trimEnd())), whole)
})

test('a package whose values no archive has is passed over', async () => {
  const wrong = [
    { name: 'x/../y', version: '1' },
    { name: 'ok', version: 'a b' },
    { name: 'ok', version: '1\t2' },
    { name: 'ok', version: '1', path: '../../etc/passwd' },
    { name: 'ok', version: '1', path: '/etc/passwd' },
    { name: 'ok', version: '1', path: 'pool//x' },
    { name: 'ok', version: '1', path: 'http://x/y z' },
    { name: 'ok', version: '1', sha256: 'f' },
    { name: 'ok', version: '1', size: -1 },
  ]
  for (const one of wrong) {
    const records = await read(packagesText([one]))
    assert.deepEqual(
      [...records.values()].flatMap(({ debs }) => debs),
      [],
      JSON.stringify(one),
    )
  }
  assert.equal((await read('Package: __proto__\nVersion: 1\n\nPackage: constructor\nVersion: 1\n')).size, 1)
})

test('whatever an index is, reading it ends and throws nothing but its limits', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('Package: a', 'Source: b (', 'Version: 1', '\n', ' x', '\0', 'SHA256:')),
      async (lines) => {
        await read(lines.join('\n'), 7)
      },
    ),
  )
})

test('a kept index finds each of its sources and nothing else, and reads as it was written', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{1,8}$/)
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 40 }), name, (names, other) => {
      const debs = [{ size: 3, text: 'pool/x.deb 3 ab' }]
      const read = [{ path: 'pool/x.deb', size: 3, sha256: 'ab' }]
      const records: SourceRecords = new Map(names.map((one, at) => [one, { version: `${at}`, debs }]))
      const index = decodeIndex(Buffer.from(createIndex(ORIGIN, records).encode()))!
      assert.deepEqual(index.origin, ORIGIN)
      assert.equal(index.size, names.length)
      for (const [at, one] of names.entries()) assert.deepEqual(index.get(one), { version: `${at}`, debs: read })
      assert.equal(index.get(other) !== undefined, names.includes(other))
    }),
  )
})

test('a kept index that was cut or is something else is none', () => {
  const index = createIndex(ORIGIN, new Map([['aa', { version: '1', debs: [] }]]))
  const file = Buffer.from(index.encode())
  assert.equal(decodeIndex(file)?.get('aa')?.version, '1')
  for (const bytes of [
    file.subarray(0, -1),
    file.subarray(0, 10),
    Buffer.alloc(0),
    Buffer.from('null\n'),
    Buffer.from('{"format":9}\n'),
  ])
    assert.equal(decodeIndex(bytes), undefined)
})
