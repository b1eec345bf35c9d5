import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pack } from 'tar-stream'
import { collect, makeTar, type ScannedEntry, scanTar } from '../../../test/kit/scanned-tar.ts'

let directory = ''
const longName = `${'deep-directory/'.repeat(8)}${'n'.repeat(120)}`

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'bale-tar-'))
  const tree = join(directory, 'tree')
  mkdirSync(join(tree, 'deep-directory/'.repeat(8)), { recursive: true })
  writeFileSync(join(tree, longName), 'long')
  writeFileSync(join(tree, 'plain'), 'x'.repeat(1000))
  writeFileSync(join(tree, 'empty'), '')
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/latin-`), Buffer.from([0xe9, 0xff])]), 'bytes')
  linkSync(join(tree, 'plain'), join(tree, 'hard'))
  symlinkSync('plain', join(tree, 'soft'))
  symlinkSync('t'.repeat(150), join(tree, 'long-target'))
  execFileSync('mkfifo', [join(tree, 'fifo')])
  if (process.getuid?.() === 0) execFileSync('mknod', [join(tree, 'device'), 'c', '10', '259'])
  const sparse = openSync(join(tree, 'sparse'), 'w')
  // Thirty segments: more than the 4 of an old GNU header and the 21 of one continuation block.
  for (let index = 0; index < 30; index++) writeSync(sparse, `segment ${index}`, index * 65536)
  ftruncateSync(sparse, 30 * 65536 + 77)
  closeSync(sparse)
})

after(() => rmSync(directory, { recursive: true, force: true }))

function tarOf(program: string, args: string[]): Buffer {
  return execFileSync(program, [...args, '-C', join(directory, 'tree'), '.'], {
    maxBuffer: 1 << 26,
    // bsdtar complains of the name that is not UTF-8, and stores it as it is.
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

function byName(entries: ScannedEntry[]): Map<string, ScannedEntry> {
  return new Map(entries.map((one) => [one.entry.name.replace(/^\.\//, '').replace(/\/$/, ''), one]))
}

/** The file as it appears, holes filled with zeros. */
function content({ entry, data }: ScannedEntry): Buffer {
  if (!entry.sparse) return data
  const whole = Buffer.alloc(entry.size)
  let at = 0
  for (const { offset, length } of entry.sparse) {
    data.copy(whole, offset, at, at + length)
    at += length
  }
  return whole
}

function checkTree(tar: Buffer, { fits = true, sparse = false }: { fits?: boolean; sparse?: boolean } = {}): void {
  for (const chunkSize of [tar.length, 1000, 512, 37]) {
    const scanned = scanTar(tar, { chunkSize })
    assert.ok(scanned.retold.equals(tar), `retold exactly in chunks of ${chunkSize}`)
    const entries = byName(scanned.entries)
    for (const { entry, position, data } of scanned.entries)
      assert.ok(tar.subarray(position.data, position.data + entry.dataSize).equals(data), `position of ${entry.name}`)
    assert.equal(
      entries.get('plain')!.entry.type === 'hardlink' ? 'hardlink' : 'file',
      entries.get('plain')!.entry.type,
    )
    const first = [...entries.values()].find(
      ({ entry }) => /^(\.\/)?(plain|hard)$/.test(entry.name) && entry.type === 'file',
    )!
    assert.equal(first.data.toString(), 'x'.repeat(1000))
    const second = [...entries.values()].find(({ entry }) => entry.type === 'hardlink')!
    assert.equal(second.entry.linkName, first.entry.name)
    assert.equal(entries.get('soft')!.entry.linkName, 'plain')
    assert.equal(entries.get('empty')!.entry.size, 0)
    assert.equal(entries.get('fifo')!.entry.type, 'fifo')
    assert.equal(entries.get('latin-\xe9\xff')!.data.toString(), 'bytes')
    if (process.getuid?.() === 0) {
      const { entry } = entries.get('device')!
      assert.deepEqual([entry.type, entry.deviceMajor, entry.deviceMinor], ['character', 10, 259])
    }
    if (fits) {
      assert.equal(entries.get(longName)!.data.toString(), 'long')
      assert.equal(entries.get('long-target')!.entry.linkName, 't'.repeat(150))
    }
    const file = entries.get('sparse')!
    assert.equal(file.entry.sparse !== undefined, sparse)
    const whole = content(file)
    assert.equal(whole.length, 30 * 65536 + 77)
    for (let index = 0; index < 30; index++)
      assert.equal(whole.toString('latin1', index * 65536, index * 65536 + 9), `segment ${index}`.slice(0, 9))
  }
}

const gnuFormats: [string, string[], { fits?: boolean; sparse?: boolean }][] = [
  ['v7', ['--format=v7'], { fits: false }],
  ['ustar', ['--format=ustar'], { fits: false }],
  ['oldgnu', ['--format=oldgnu'], {}],
  ['gnu', ['--format=gnu'], {}],
  ['posix', ['--format=posix'], {}],
  ['gnu, sparse (T14)', ['--format=gnu', '-S'], { sparse: true }],
  ['posix, sparse 0.0 (T14)', ['--format=posix', '-S', '--sparse-version=0.0'], { sparse: true }],
  ['posix, sparse 0.1 (T14)', ['--format=posix', '-S', '--sparse-version=0.1'], { sparse: true }],
  ['posix, sparse 1.0 (T14)', ['--format=posix', '-S', '--sparse-version=1.0'], { sparse: true }],
]

for (const [name, args, expected] of gnuFormats)
  test(`a tar of GNU tar is read and retold exactly: ${name}`, () => {
    const skipped = expected.fits === false ? ['--exclude=deep-directory', '--exclude=long-target'] : []
    const devices = name === 'v7' ? ['--exclude=device', '--exclude=fifo'] : []
    const tar = tarOf('tar', ['-c', '-f', '-', '--sort=name', ...args, ...skipped, ...devices])
    if (name === 'v7') {
      const scanned = scanTar(tar)
      assert.ok(scanned.retold.equals(tar))
      assert.equal(byName(scanned.entries).get('')?.entry.type ?? scanned.entries[0]!.entry.type, 'directory')
    } else checkTree(tar, expected)
  })

const bsdtar = existsSync('/usr/bin/bsdtar') ? false : 'bsdtar is not installed (Debian package libarchive-tools)'

for (const format of ['gnutar', 'pax', 'ustar'])
  test(`a tar of bsdtar is read and retold exactly: ${format}`, { skip: bsdtar }, () => {
    const skipped = format === 'ustar' ? ['--exclude', 'deep-directory', '--exclude', 'long-target'] : []
    const tar = tarOf('/usr/bin/bsdtar', ['-c', '-f', '-', '--format', format, '--no-read-sparse', ...skipped])
    checkTree(tar, { fits: format !== 'ustar' })
  })

test('extended attributes of GNU tar and bsdtar arrive as bytes', (context) => {
  const file = join(directory, 'tree', 'plain')
  const set = spawnSync('python3', [
    '-c',
    `import os;os.setxattr(${JSON.stringify(file)}, "user.bytes", b"a\\0=\\n\\xff")`,
  ])
  if (set.status !== 0) return context.skip('python3 is missing or the temporary directory takes no user attributes')
  const makers: [string, string[]][] = [['tar', ['--xattrs', '--format=posix']]]
  if (!bsdtar) makers.push(['/usr/bin/bsdtar', ['--xattrs', '--format', 'pax']])
  for (const [program, args] of makers) {
    const { entries } = scanTar(tarOf(program, ['-c', '-f', '-', ...args]))
    const found = entries.find(({ entry }) => entry.xattrs.has('user.bytes'))
    assert.equal(Buffer.from(found!.entry.xattrs.get('user.bytes')!).toString('latin1'), 'a\0=\n\xff', program)
  }
  return undefined
})

test('fractions of a second and times before 1970 count upward from the second', () => {
  for (const [date, seconds, nanoseconds] of [
    ['@1700000000.123456789', 1700000000, 123456789],
    ['@-1.25', -2, 750000000],
    ['@-3', -3, 0],
  ] as const) {
    const tar = tarOf('tar', ['-c', '-f', '-', '--format=posix', `--mtime=${date}`, '--no-recursion'])
    const { entry } = scanTar(tar).entries[0]!
    assert.deepEqual([entry.mtime, entry.mtimeNanoseconds], [seconds, nanoseconds], date)
  }
})

test('numbers that need base-256 are read: ids beyond 2^21, negative times', () => {
  const tar = tarOf('tar', ['-c', '-f', '-', '--format=gnu', '--owner=u:4000000000', '--mtime=@-5', '--no-recursion'])
  const { entry } = scanTar(tar).entries[0]!
  assert.deepEqual([entry.uid, entry.mtime], [4000000000, -5])
})

test('of an odd mode the twelve bits that a file has are taken', async () => {
  const plain = await makeTar([{ name: 'a', type: 'file', content: 'x' }])
  const modes: [field: Buffer, mode: number][] = [
    [Buffer.from('0100644\0'), 0o644],
    [Buffer.from('0040755\0'), 0o755],
    [Buffer.from('7777777\0'), 0o7777],
    [Buffer.from('   644 \0'), 0o644],
    [Buffer.from('00000644'), 0o644],
    [Buffer.alloc(8), 0],
    [Buffer.from('80000000000001a4', 'hex'), 0o644],
    // -348: the low bits of a negative number, as Go takes them.
    [Buffer.from('fffffffffffffea4', 'hex'), 0o7244],
  ]
  for (const [field, mode] of modes) {
    const tar = Buffer.from(plain)
    field.copy(tar, 100)
    tar.fill(' ', 148, 156)
    const sum = tar.subarray(0, 512).reduce((all, byte) => all + byte, 0)
    tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    assert.equal(scanTar(tar).entries[0]!.entry.mode, mode, field.toString('hex'))
  }
})

test('what tar-stream packs is read: plain entries', async () => {
  const packed = pack()
  packed.entry({ name: 'dir', type: 'directory', mode: 0o700 })
  packed.entry({ name: 'dir/file', uid: 5, gid: 6, mtime: new Date(7000) }, 'hello')
  packed.entry({ name: 'dir/umlaut-ä' }, 'pax')
  packed.finalize()
  const { entries } = scanTar(await collect(packed as AsyncIterable<Uint8Array>))
  assert.deepEqual(
    entries.map(({ entry, data }) => [
      entry.name,
      entry.type,
      entry.mode,
      entry.uid,
      entry.gid,
      entry.mtime > 0,
      String(data),
    ]),
    [
      ['dir', 'directory', 0o700, 0, 0, true, ''],
      ['dir/file', 'file', 0o644, 5, 6, true, 'hello'],
      [Buffer.from('dir/umlaut-ä').toString('latin1'), 'file', 0o644, 0, 0, true, 'pax'],
    ],
  )
})

test('the structure alone, scanned as dataless, tells the same entries at the same positions', () => {
  for (const args of [
    ['--format=gnu', '-S'],
    ['--format=posix', '-S', '--sparse-version=1.0'],
  ]) {
    const tar = tarOf('tar', ['-c', '-f', '-', ...args])
    const whole = scanTar(tar)
    const structure = scanTar(whole.split, { dataless: true, chunkSize: 700 })
    assert.ok(structure.retold.equals(whole.split))
    assert.deepEqual(
      structure.entries.map(({ entry, position }) => ({ entry, position })),
      whole.entries.map(({ entry, position }) => ({ entry, position })),
    )
  }
})
