import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { extract } from 'tar-stream'
import { isBaleError } from '#base'
import { collect, makeTar, scanTar } from '../../../test/kit/scanned-tar.ts'
import type { TarEntry } from './entry.ts'
import { packTar } from './pack.ts'
import { type NewTarEntry, tarHeader } from './writer.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

const example: (NewTarEntry & { content?: string })[] = [
  { name: 'bin', type: 'directory', mode: 0o755, mtime: 1 },
  { name: 'bin/tool', type: 'file', mode: 0o4755, uid: 1, gid: 2, mtime: 3, content: '#!/bin/sh\n' },
  { name: 'bin/link', type: 'symlink', linkName: 'tool' },
  { name: 'bin/hard', type: 'hardlink', linkName: 'bin/tool' },
  { name: `${'d/'.repeat(60)}${'n'.repeat(90)}`, type: 'file', content: 'split name' },
  {
    name: 'x'.repeat(255),
    type: 'file',
    content: 'long name',
    xattrs: new Map([
      ['user.b', Buffer.from('2')],
      ['user.a', Buffer.from('1')],
    ]),
  },
  { name: Buffer.from('umlaut-ä').toString('latin1'), type: 'file', uid: 3_000_000, mtime: 6, mtimeNanoseconds: 5 },
  { name: 'null', type: 'character', deviceMajor: 1, deviceMinor: 3 },
  { name: 'pipe', type: 'fifo' },
]

test('the same entries give the same bytes; the format is pinned by its digest', async () => {
  const tar = await makeTar(example)
  assert.ok(tar.equals(await makeTar(example)))
  const reordered = example.map((entry) => ({ ...entry, xattrs: new Map([...(entry.xattrs ?? [])].reverse()) }))
  assert.ok(tar.equals(await makeTar(reordered)), 'the order of attributes does not matter')
  // Changing this digest changes the diff ID of every image that is built: say so in the changelog.
  assert.equal(sha256(tar), 'e68abb5a291b5e925d69919b2d9304cd876ab1692fcd5fd2d72793a50973f6b8')
})

test('GNU tar lists what the writer wrote', async () => {
  const tar = await makeTar(example)
  const listed = execFileSync(
    'tar',
    ['-tv', '--numeric-owner', '--full-time', '--utc', '-f', '-', '--quoting-style=literal'],
    { input: tar, env: { TZ: 'UTC', LC_ALL: 'C.UTF-8' } },
  )
    .toString()
    .trim()
    .split('\n')
  assert.deepEqual(
    listed.map((line) => line.replace(/ +/g, ' ')),
    [
      'drwxr-xr-x 0/0 0 1970-01-01 00:00:01 bin/',
      '-rwsr-xr-x 1/2 10 1970-01-01 00:00:03 bin/tool',
      'lrwxrwxrwx 0/0 0 1970-01-01 00:00:00 bin/link -> tool',
      'hrw-r--r-- 0/0 0 1970-01-01 00:00:00 bin/hard link to bin/tool',
      `-rw-r--r-- 0/0 10 1970-01-01 00:00:00 ${'d/'.repeat(60)}${'n'.repeat(90)}`,
      `-rw-r--r-- 0/0 9 1970-01-01 00:00:00 ${'x'.repeat(255)}`,
      '-rw-r--r-- 3000000/0 0 1970-01-01 00:00:06.000000005 umlaut-ä',
      'crw-r--r-- 0/0 1,3 1970-01-01 00:00:00 null',
      'prw-r--r-- 0/0 0 1970-01-01 00:00:00 pipe',
    ],
  )
})

test('tar-stream reads plain entries of the writer', async () => {
  const tar = await makeTar(example.slice(0, 5))
  const extractor = extract()
  extractor.end(tar)
  const seen: [string, string | null | undefined, string][] = []
  for await (const entry of extractor) {
    seen.push([entry.header.name, entry.header.type, (await collect(entry as AsyncIterable<Uint8Array>)).toString()])
    entry.resume()
  }
  assert.deepEqual(seen, [
    ['bin/', 'directory', ''],
    ['bin/tool', 'file', '#!/bin/sh\n'],
    ['bin/link', 'symlink', ''],
    ['bin/hard', 'link', ''],
    [`${'d/'.repeat(60)}${'n'.repeat(90)}`, 'file', 'split name'],
  ])
})

test('PAX records appear only when something does not fit', () => {
  const blocks = (entry: Partial<NewTarEntry>) => tarHeader({ name: 'a', type: 'file', ...entry }).length / 512
  assert.equal(blocks({ name: 'a'.repeat(100), uid: 0o7777777, mtime: 0o77777777777, size: 0o77777777777 }), 1)
  assert.equal(blocks({ name: `${'p'.repeat(155)}/${'n'.repeat(100)}` }), 1)
  assert.equal(blocks({ name: 'caf\xe9' }), 1, 'a short name that is not UTF-8 stands in the header as it is')
  for (const entry of [
    { name: 'a'.repeat(101) },
    { name: Buffer.from('ä').toString('latin1') },
    { uid: 0o10000000 },
    { mtime: -1 },
    { mtimeNanoseconds: 1 },
    { size: 2 ** 33 },
    { xattrs: new Map([['user.a', Buffer.from('')]]) },
  ])
    assert.equal(blocks(entry), 3, JSON.stringify(entry))
})

const bytes = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 300,
})
const entries = fc.record({
  name: bytes.filter((name) => !name.endsWith('/')),
  type: fc.constantFrom('file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo') as fc.Arbitrary<
    TarEntry['type']
  >,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 0xfffffffe })),
  gid: fc.integer({ min: 0, max: 0xfffffffe }),
  mtime: fc.oneof(fc.integer(), fc.maxSafeInteger()),
  mtimeNanoseconds: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
  linkName: bytes,
  deviceMajor: fc.integer({ min: 0, max: 4095 }),
  deviceMinor: fc.integer({ min: 0, max: 2 ** 20 - 1 }),
  xattrs: fc
    .array(
      fc.tuple(
        bytes.filter((key) => !key.includes('=')),
        fc.uint8Array({ maxLength: 40 }),
      ),
      { maxLength: 3 },
    )
    .map((pairs) => new Map(pairs.map(([key, value]) => [key, Buffer.from(value)] as const))),
  userName: bytes,
  groupName: fc.constant(''),
  content: fc.uint8Array({ maxLength: 1200 }),
})

test('whatever is written is read back the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(entries, { maxLength: 4 }),
      fc.integer({ min: 1, max: 3000 }),
      async (list, chunkSize) => {
        const tar = await makeTar(
          list.map(({ content, ...entry }) => (entry.type === 'file' ? { ...entry, content } : entry)),
        )
        const scanned = scanTar(tar, { chunkSize })
        assert.ok(scanned.retold.equals(tar))
        scanned.entries.forEach(({ entry, data }, index) => {
          const { content, ...written } = list[index]!
          const isFile = entry.type === 'file'
          const isDevice = entry.type === 'character' || entry.type === 'block'
          assert.deepEqual(entry, {
            ...written,
            name: written.type === 'directory' ? `${written.name}/` : written.name,
            size: isFile ? content.length : 0,
            dataSize: isFile ? content.length : 0,
            linkName: entry.type === 'symlink' || entry.type === 'hardlink' ? written.linkName : '',
            deviceMajor: isDevice ? written.deviceMajor : 0,
            deviceMinor: isDevice ? written.deviceMinor : 0,
          })
          assert.deepEqual(data, Buffer.from(isFile ? content : []))
        })
        assert.equal(scanned.entries.length, list.length)
      },
    ),
    { numRuns: 200 },
  )
})

test('data shorter or longer than announced ends with SIZE_MISMATCH', async () => {
  for (const content of ['abc', 'abcde'])
    await assert.rejects(
      collect(packTar([{ entry: { name: 'f', type: 'file', size: 4 }, data: Buffer.from(content) }])),
      (error) => isBaleError(error, 'SIZE_MISMATCH'),
    )
})

test('what no tar can hold is refused with INVALID_ARGUMENT', () => {
  const wrong: Partial<NewTarEntry>[] = [
    { name: '' },
    { name: 'a\0b' },
    { name: '\u20ac' },
    { uid: -1 },
    { size: 1.5 },
    { mtime: Number.NaN },
    { mtimeNanoseconds: 1e9 },
    { type: 'symlink' },
    { xattrs: new Map([['a=b', Buffer.from('')]]) },
  ]
  for (const entry of wrong)
    assert.throws(
      () => tarHeader({ name: 'a', type: 'file', ...entry }),
      (error) => isBaleError(error, 'INVALID_ARGUMENT'),
      JSON.stringify(entry),
    )
})

test('a file with holes is written without them; GNU tar, Python and this scanner read it back', async () => {
  const name = Buffer.from('große/Datei').toString('latin1')
  const sparse = [
    { offset: 512, length: 700 },
    { offset: 5_000_000, length: 2 },
  ]
  const entry: NewTarEntry = { name, type: 'file', size: 9_000_000_000, mode: 0o640, mtime: 7, sparse }
  const data = Buffer.alloc(702, 'd')
  const odd: NewTarEntry = { name: 'no-utf8-\xff', type: 'file', size: 3, sparse: [{ offset: 1, length: 1 }] }
  const tar = await collect(
    packTar([
      { entry, data },
      { entry: odd, data: Buffer.from('o') },
    ]),
  )
  assert.ok(tar.length < 8192)
  const [first, second] = scanTar(tar).entries
  assert.deepEqual([first!.entry.name, first!.entry.size, first!.entry.mode], [name, 9_000_000_000, 0o640])
  assert.deepEqual(first!.entry.sparse, [...sparse, { offset: 9_000_000_000, length: 0 }])
  assert.ok(first!.data.equals(data))
  assert.equal(second!.entry.name, 'no-utf8-\xff')
  const listed = execFileSync('tar', ['-tv', '--numeric-owner', '-f', '-', '--quoting-style=literal'], {
    input: tar,
    env: { LC_ALL: 'C.UTF-8' },
  }).toString()
  assert.match(listed, /-rw-r----- 0\/0 +9000000000 .* große\/Datei\n/)
  const small = await collect(
    packTar([
      { entry: { name: 's', type: 'file', size: 3000, sparse: [{ offset: 9, length: 3 }] }, data: Buffer.from('abc') },
    ]),
  )
  const content = execFileSync('tar', ['-xO', '-f', '-'], { input: small })
  assert.ok(content.equals(Buffer.concat([Buffer.alloc(9), Buffer.from('abc'), Buffer.alloc(2988)])))
})
