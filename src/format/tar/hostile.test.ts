import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { makeTar, scanTar } from '../../../test/kit/scanned-tar.ts'
import { paxRecord } from './pax.ts'
import { type NewTarEntry, tarHeader, tarPadding, tarTrailer } from './writer.ts'

function record(key: string, value: string | Uint8Array): Buffer {
  return Buffer.from(paxRecord(key, value) as string, 'latin1')
}

const MAX_HEADER = 1024 * 1024

/** A header block with fields overwritten (offset -> bytes) and the checksum put right again. */
function block(entry: NewTarEntry, changes: Record<number, string | number[]> = {}): Buffer {
  const header = Buffer.from(tarHeader(entry))
  for (const [offset, bytes] of Object.entries(changes))
    Buffer.from(bytes as string, 'latin1').copy(header, Number(offset))
  header.fill(0x20, 148, 156)
  let sum = 0
  for (const byte of header.subarray(0, 512)) sum += byte
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

const file: NewTarEntry = { name: 'victim', type: 'file', size: 4 }
const data = Buffer.concat([Buffer.from('data'), tarPadding(4)])
const tarOf = (...parts: Uint8Array[]) => Buffer.concat([...parts, tarTrailer()])

function member(typeflag: string, body: Buffer | string, size = body.length): Buffer {
  const bytes = Buffer.from(body as string, 'latin1')
  return Buffer.concat([
    block({ name: 'record', type: 'file', size }, { 156: typeflag }),
    bytes,
    tarPadding(bytes.length),
  ])
}

const pax = (...records: [string, string][]) =>
  member('x', Buffer.concat(records.map(([key, value]) => record(key, value))))

const sparse10 = (map: string, size: number, real = '1000') =>
  tarOf(
    pax(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.realsize', real]),
    block({ ...file, size }),
    Buffer.from(map),
    tarPadding(map.length),
  )

const oldSparse = (descriptors: string, realSize: string, extended = '\0') =>
  tarOf(
    block(file, { 156: 'S', 257: 'ustar  \0', 386: descriptors.padEnd(96, '\0'), 482: extended, 483: realSize }),
    data,
  )

const cases: [string, Buffer, RegExp][] = [
  ['T18 a wrong checksum', tarOf(Buffer.from(block(file)).fill('9', 0, 1), data), /checksum/],
  ['T18 a checksum of zeros', tarOf(Buffer.from(block(file)).fill(0, 148, 156), data), /checksum/],
  ['T18 garbage', Buffer.alloc(2048, 'garbage!'), /checksum/],
  ['T18 a NUL in a PAX path', tarOf(pax(['path', 'a\0b']), block(file), data), /NUL/],
  [
    'T18 a NUL in a PAX link path',
    tarOf(pax(['linkpath', 'a\0b']), block({ name: 'l', type: 'symlink', linkName: 'x' })),
    /NUL/,
  ],
  ['T18 a NUL in a PAX key', tarOf(pax(['SCHILY.xattr.a\0b', 'v']), block(file), data), /NUL/],
  [
    'T17 a negative size',
    tarOf(block(file, { 124: [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255] })),
    /negative size/,
  ],
  ['T17 a size beyond 2^53', tarOf(block(file, { 124: [128, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0] })), /2\^53/],
  ['T17 a size that is no octal number', tarOf(block(file, { 124: '00000000009 ' }), data), /octal/],
  ['T17 a size with a sign', tarOf(block(file, { 124: '-0000000001 ' }), data), /octal/],
  ['T17 a negative user id', tarOf(block(file, { 108: [255, 255, 255, 255, 255, 255, 255, 254] }), data), /user id/],
  ['T17 the user id 2^32-1', tarOf(pax(['uid', '4294967295']), block(file), data), /user id/],
  ['T17 a group id of 2^40', tarOf(pax(['gid', '1099511627776']), block(file), data), /group id/],
  ['T17 a time in the year 292277026596', tarOf(pax(['mtime', '9223372036854775807']), block(file), data), /time/],
  ['T17 a PAX size that is no number', tarOf(pax(['size', '0x4']), block(file), data), /size/],
  ['T17 a PAX size beyond 2^53', tarOf(pax(['size', '9007199254740993']), block(file), data), /size/],
  [
    'T17 a device number that Linux has not',
    tarOf(block({ name: 'd', type: 'block' }, { 329: '7777777' })),
    /device number/,
  ],
  ['T15 a PAX record block over 1 MiB', member('x', '', MAX_HEADER + 1), /1048577 bytes/],
  ['T15 a long name over 1 MiB', member('L', '', 100 * MAX_HEADER), /long name/],
  ['T15 a PAX record longer than its block', tarOf(member('x', '99 path=a\n'), block(file), data), /wrong length/],
  ['T15 a PAX record without an equals sign', tarOf(member('x', '8 path\n\n'), block(file), data), /record/],
  ['T15 a PAX record without a length', tarOf(member('x', 'path=a\n'), block(file), data), /length/],
  ['T15 a PAX record without the closing newline', tarOf(member('x', '10 path=ab'), block(file), data), /wrong length/],
  ['T15 a PAX record of length zero', tarOf(member('x', '0 path=ab\n'), block(file), data), /wrong length/],
  ['T16 two PAX headers for one entry', tarOf(pax(['path', 'a']), pax(['path', 'b']), block(file), data), /second PAX/],
  [
    'T16 two long names for one entry',
    tarOf(member('L', 'a\0'), member('L', 'b\0'), block(file), data),
    /second long name/,
  ],
  ['T16 a long name and a PAX path', tarOf(member('L', 'a\0'), pax(['path', 'b']), block(file), data), /both/],
  ['T16 a global header that sets a path', tarOf(member('g', record('path', 'a')), block(file), data), /global/],
  ['T16 a global header that sets a size', tarOf(member('g', record('size', '0')), block(file), data), /global/],
  ['T16 a zero block between entries', tarOf(block(file), data, Buffer.alloc(512), block(file), data), /zeros/],
  [
    'T14 a sparse file of 8 EiB',
    oldSparse('', [128, 0, 0, 0, 127, 255, 255, 255, 255, 255, 255, 255].map((n) => String.fromCharCode(n)).join('')),
    /2\^53/,
  ],
  [
    'T14 a sparse file of 2^50 bytes',
    oldSparse('00000000000\x0000000000004\0', '\x80\0\0\0\0\x04\0\0\0\0\0\0'),
    /claims a size/,
  ],
  ['T14 a sparse map beyond the file', oldSparse('00000000777\x0000000000004\0', '00000000010\0'), /beyond/],
  [
    'T14 a sparse map that overlaps',
    oldSparse('00000000000\x0000000000002\x0000000000001\x0000000000002\0', '00000000010\0'),
    /order/,
  ],
  [
    'T14 a sparse map that does not fit the data',
    oldSparse('00000000000\x0000000000003\0', '00000000010\0'),
    /fit the data/,
  ],
  [
    'T14 old sparse without its continuation block',
    oldSparse('', '00000000010\0', '1').subarray(0, 512),
    /in the middle/,
  ],
  ['T14 a sparse 1.0 map with too many segments', sparse10('1000001\n', 512), /1000000 segments/],
  ['T14 a sparse 1.0 map with a huge count', sparse10(`${'9'.repeat(400)}\n`, 512), /decimal/],
  ['T14 a sparse 1.0 map longer than the entry', sparse10(`200\n${'0\n0\n'.repeat(127)}`, 512), /longer/],
  ['T14 a sparse 1.0 map that is not numbers', sparse10('1\nx\n', 512), /decimal/],
  ['T14 sparse 1.0 without a map', sparse10('', 0), /no map/],
  [
    'T14 sparse 0.1 with half a pair',
    tarOf(pax(['GNU.sparse.size', '9'], ['GNU.sparse.map', '0,4,8']), block(file), data),
    /odd/,
  ],
  [
    'T14 sparse of an unknown version',
    tarOf(pax(['GNU.sparse.major', '7'], ['GNU.sparse.size', '9']), block(file), data),
    /unknown sparse/,
  ],
  ['an unknown type', tarOf(block(file, { 156: 'Z' }), data), /unknown type/],
  ['a multi-volume continuation', tarOf(block(file, { 156: 'M' }), data), /unknown type/],
  ['T21 the end in a header', tarOf(block(file)).subarray(0, 300), /middle of a header/],
  ['T21 the end in the data', block({ ...file, size: 4000 }).subarray(0, 512), /middle/],
  ['T21 the end in a PAX record', pax(['path', 'a']).subarray(0, 515), /middle/],
  ['T21 the end behind a PAX record', pax(['path', 'a']), /middle/],
  ['T21 end blocks behind a PAX record', tarOf(pax(['path', 'a'])), /without the entry/],
]

for (const [name, tar, message] of cases)
  test(`refused with INVALID_TAR: ${name}`, () => {
    for (const chunkSize of [tar.length, 512, 100])
      assert.throws(
        () => scanTar(tar, { chunkSize }),
        (error) => isBaleError(error, 'INVALID_TAR') && message.test(error.message),
      )
  })

test('an error names the entry with control characters escaped (T18)', () => {
  const tar = tarOf(block({ ...file, name: 'evil\x1b[2J\nname' }, { 124: '99999999999 ' }), data)
  assert.throws(() => scanTar(tar), /"evil\\x1b\[2J\\x0aname"/)
})

test('more entries than the limit end with LIMIT_EXCEEDED (T25)', async () => {
  const tar = await makeTar(Array.from({ length: 20 }, (_, index) => ({ name: `f${index}`, type: 'file' as const })))
  assert.throws(
    () => scanTar(tar, { limits: { entries: 19 } }),
    (error) => isBaleError(error, 'LIMIT_EXCEEDED'),
  )
  assert.equal(scanTar(tar, { limits: { entries: 20 } }).entries.length, 20)
})

test('a tar without its end blocks is accepted, and what follows them is told but not parsed (T21)', async () => {
  const tar = await makeTar([{ ...file, content: 'data' }])
  assert.equal(scanTar(tar.subarray(0, tar.length - 1024)).entries.length, 1)
  assert.equal(scanTar(tar.subarray(0, tar.length - 512)).entries.length, 1)
  const longer = Buffer.concat([tar, await makeTar([{ name: 'hidden', type: 'file' }]), Buffer.from('garbage')])
  const scanned = scanTar(longer)
  assert.deepEqual(
    scanned.entries.map(({ entry }) => entry.name),
    ['victim'],
  )
  assert.ok(scanned.retold.equals(longer))
  assert.equal(scanTar(Buffer.alloc(0)).entries.length, 0)
})

test('PAX wins over the header, so that data is never taken for headers (T16)', async () => {
  const hidden = Buffer.from(tarHeader({ name: 'hidden', type: 'file' }))
  const tar = tarOf(pax(['size', '512']), block({ ...file, size: 0 }), hidden)
  const { entries } = scanTar(tar)
  assert.deepEqual(
    entries.map(({ entry }) => [entry.name, entry.size]),
    [['victim', 512]],
  )
})

test('links, directories and devices have no data whatever size they claim (T16)', () => {
  for (const type of ['hardlink', 'symlink', 'directory', 'fifo'] as const) {
    const tar = tarOf(
      block({ name: 'first', type, linkName: 'x' }, { 124: '00000001000\0' }),
      block({ name: 'second', type: 'fifo' }),
    )
    assert.equal(scanTar(tar).entries.length, 2, type)
    assert.equal(scanTar(tar).entries[0]!.entry.size, 0, type)
  }
})

test('a global header sets owners and times of all that follow, and a local one overrides it', () => {
  const globals = member('g', Buffer.concat([record('uid', '70000'), record('comment', 'commit 1')]))
  const tar = tarOf(globals, block(file), data, pax(['uid', '5']), block(file), data, block(file), data)
  assert.deepEqual(
    scanTar(tar).entries.map(({ entry }) => entry.uid),
    [70000, 5, 70000],
  )
})

test('a prefix under the GNU magic, as Go before 1.8 wrote it, is part of the name', () => {
  const tar = tarOf(block(file, { 257: 'ustar  \0', 345: 'some/directory/of/long/ago/that/goes/on' }), data)
  assert.equal(scanTar(tar).entries[0]!.entry.name, 'some/directory/of/long/ago/that/goes/on/victim')
})

test('a volume label is no entry, a dump directory is a directory without data', () => {
  const tar = tarOf(
    block({ name: 'LABEL', type: 'file' }, { 156: 'V' }),
    block(file, { 156: 'D' }),
    data,
    block(file),
    data,
  )
  const scanned = scanTar(tar)
  assert.deepEqual(
    scanned.entries.map(({ entry, data }) => [entry.type, data.length]),
    [
      ['directory', 0],
      ['file', 4],
    ],
  )
  assert.ok(scanned.retold.equals(tar))
})

test('ten thousand damaged archives end in an entry list or in INVALID_TAR, never otherwise', () => {
  const good = tarOf(
    pax(['path', 'p'.repeat(200)], ['SCHILY.xattr.user.a', 'b'], ['mtime', '1.5']),
    block(file),
    data,
    member('L', `${'l'.repeat(150)}\0`),
    block(file, { 156: 'S', 257: 'ustar  \0', 386: '00000000000\x0000000000004\0', 483: '00000000010\0' }),
    data,
    sparse10('1\n8\n4\n', 516).subarray(0, 3 * 512 + 1024),
  )
  let seed = 12345
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return seed % below
  }
  let accepted = 0
  for (let round = 0; round < 10_000; round++) {
    const bad = Buffer.from(good)
    for (let count = 1 + random(4); count > 0; count--)
      bad[random(bad.length)] = random(2) ? random(256) : 0x30 + random(10)
    // Half of the rounds with right checksums, so that the fields behind them are reached.
    if (random(2)) for (let at = 0; at + 512 <= bad.length; at += 512) if (bad[at + 156]) fixChecksum(bad, at)
    try {
      const scanned = scanTar(bad.subarray(0, 1 + random(bad.length)), { chunkSize: 1 + random(2000) })
      for (const { entry } of scanned.entries) assert.ok(Number.isSafeInteger(entry.size + entry.uid + entry.mtime))
      accepted++
    } catch (error) {
      if (!isBaleError(error, 'INVALID_TAR')) throw error
    }
  }
  assert.ok(accepted > 100, `${accepted} were accepted`)
})

function fixChecksum(bytes: Buffer, at: number): void {
  bytes.fill(0x20, at + 148, at + 156)
  let sum = 0
  for (const byte of bytes.subarray(at, at + 512)) sum += byte
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
}

test('the hostile corpus is not empty for GNU tar either: its own good archive passes', () => {
  const tar = execFileSync('tar', ['-c', '-f', '-', '-C', '/etc', 'hostname'])
  assert.equal(scanTar(tar).entries.length, 1)
})
