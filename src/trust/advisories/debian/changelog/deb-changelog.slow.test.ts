import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { isBaleError } from '#base'
import { tarHeader } from '#format/tar'
import { arArchive, changelogText, makeDeb, xz } from '../../../../../test/kit/debian-mirror.ts'
import { changelogIn } from './deb-changelog.ts'

const DOCUMENTS = './usr/share/doc/bash'
const TEXT = changelogText('bash', { '5.2-1': 'Text.' })
const packed = gzipSync(TEXT)

test('the changelog of a package, however its data is compressed', async () => {
  const files = {
    './usr/bin/bash': 'x'.repeat(3_000_000),
    [`${DOCUMENTS}/changelog.Debian.gz`]: packed,
    './usr/z': 'y',
  }
  for (const [member, pack] of Object.entries({
    'data.tar.xz': xz,
    'data.tar.gz': gzipSync,
    'data.tar.zst': zstdCompressSync,
    'data.tar': (tar: Buffer) => tar,
  }))
    assert.equal(await changelogIn(await makeDeb(files, { member, pack }), 'bash'), TEXT, member)
})

test("Debian's own changelog comes before that of the makers; a native package has one alone", async () => {
  const both = { [`${DOCUMENTS}/changelog.gz`]: gzipSync('theirs'), [`${DOCUMENTS}/changelog.Debian.gz`]: packed }
  assert.equal(await changelogIn(await makeDeb(both), 'bash'), TEXT)
  assert.equal(await changelogIn(await makeDeb({ [`${DOCUMENTS}/changelog.gz`]: packed }), 'bash'), TEXT)
})

test('a package without a changelog, with a link in its place, or with that of another package has none', async () => {
  const packages: Parameters<typeof makeDeb>[0][] = [
    { './usr/bin/bash': 'x' },
    { [DOCUMENTS]: { link: 'libbash' } },
    { [`${DOCUMENTS}/changelog.Debian.gz`]: { link: '/etc/passwd' } },
    { './usr/share/doc/other/changelog.Debian.gz': packed },
    { './usr/share/doc/bash/../bash/changelog.Debian.gz': packed },
    { '../usr/share/doc/bash/changelog.Debian.gz': packed },
    { './../../etc/passwd': 'x' },
  ]
  for (const files of packages)
    assert.equal(await changelogIn(await makeDeb(files), 'bash'), undefined, JSON.stringify(Object.keys(files)))
})

test('a package that is cut, is no package, or grows without end is an error', async () => {
  const deb = await makeDeb({ [`${DOCUMENTS}/changelog.Debian.gz`]: packed })
  const tar = Buffer.alloc(64 << 10, 'not a tar')
  // Frames of zeros, one after the other, as the data of one file.
  const zeros = zstdCompressSync(Buffer.alloc(64 << 20))
  const header = tarHeader({ name: 'huge', type: 'file', size: 2 ** 31 })
  const bomb = Buffer.concat([zstdCompressSync(header), ...Array.from({ length: 9 }, () => zeros)])
  const cases: [string, Uint8Array, string][] = [
    ['empty', new Uint8Array(), 'INVALID_ARCHIVE'],
    ['text', Buffer.from('hello'), 'INVALID_ARCHIVE'],
    ['cut', deb.subarray(0, -20), 'INVALID_ARCHIVE'],
    ['no data', arArchive({ 'debian-binary': Buffer.from('2.0\n') }), 'INVALID_ARCHIVE'],
    [
      'a size that is none',
      Buffer.from(deb.toString('latin1').replace(/4 {9}`/, '-4        `'), 'latin1'),
      'INVALID_ARCHIVE',
    ],
    ['cut data', arArchive({ 'data.tar.xz': xz(Buffer.alloc(1 << 20)).subarray(0, -8) }), 'INVALID_COMPRESSION'],
    ['no tar', arArchive({ 'data.tar.gz': gzipSync(tar) }), 'INVALID_TAR'],
    [
      'a changelog that is a bomb',
      await makeDeb({ [`${DOCUMENTS}/changelog.Debian.gz`]: gzipSync(Buffer.alloc(40 << 20)) }),
      'LIMIT_EXCEEDED',
    ],
    ['data that is a bomb', arArchive({ 'data.tar.zst': bomb }), 'LIMIT_EXCEEDED'],
  ]
  for (const [what, bytes, code] of cases)
    await assert.rejects(changelogIn(bytes, 'bash'), (error) => isBaleError(error, code as 'INVALID_TAR'), what)
})
