import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { readBytes } from '#host/file'
import { memoryFile } from '../../../../test/kit/memory-file.ts'
import { processorTime } from '../../../../test/kit/processor-time.ts'
import { dpkg } from './index.ts'

const STATUS = 'var/lib/dpkg/status'

const analyse = async (text: string | Buffer, path = STATUS) =>
  dpkg.analyse(memoryFile(path, Buffer.from(text)), () => undefined)

const namesIn = async (text: string) => (await analyse(text)).packages?.map(({ name }) => name) ?? []

test('a package has its architecture, its maintainer, and the source that it was built from', async () => {
  const { packages, gaps } = await analyse(`Package: libc-bin
Status: install ok installed
Priority: required
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Source: glibc (2.36-9)
Version: 2.36-9+deb12u4
Description: GNU C Library: Binaries
 Package: not-a-field
 .
 more

Package: adduser
Status: install ok installed
Architecture: all
Version: 1:3.134
`)
  assert.equal(gaps, undefined)
  assert.deepEqual(packages, [
    {
      type: 'deb',
      name: 'libc-bin',
      version: '2.36-9+deb12u4',
      architecture: 'amd64',
      source: { name: 'glibc', version: '2.36-9' },
      vendor: 'GNU Libc Maintainers <debian-glibc@lists.debian.org>',
    },
    { type: 'deb', name: 'adduser', version: '1:3.134', architecture: 'all' },
  ])
})

test('a source without a version has that of the package', async () => {
  const { packages } = await analyse('Package: libssl3\nVersion: 3.0.11-1\nSource: openssl\n')
  assert.deepEqual(packages?.[0]?.source, { name: 'openssl', version: '3.0.11-1' })
})

test('a package counts in each state in which files of it are in place', async () => {
  const states = [
    ['install ok installed', true],
    ['hold ok installed', true],
    ['deinstall ok installed', true],
    ['install reinstreq half-installed', true],
    ['install ok unpacked', true],
    ['install ok half-configured', true],
    ['install ok triggers-awaited', true],
    ['install ok triggers-pending', true],
    ['deinstall ok config-files', false],
    ['purge ok not-installed', false],
    ['unknown ok not-installed', false],
  ] as const
  const paragraphs = states.map(
    ([status], index) => `Package: p${index}\nStatus: ${status}\nVersion: 1\nArchitecture: all\n`,
  )
  assert.deepEqual(
    await namesIn(paragraphs.join('\n')),
    states.flatMap(([, counts], index) => (counts ? [`p${index}`] : [])),
  )
})

test('each file of status.d is a package, and needs no status', async () => {
  const text = 'Package: base-files\nVersion: 12.4+deb12u5\nArchitecture: amd64\n'
  const { packages } = await analyse(text, 'var/lib/dpkg/status.d/base')
  assert.deepEqual(packages, [{ type: 'deb', name: 'base-files', version: '12.4+deb12u5', architecture: 'amd64' }])
})

test('it wants the status, the packages of status.d, and lists of owned paths', () => {
  const wants = (path: string) => dpkg.wants({ path, size: 1, mode: 0o644 }) !== undefined
  const wanted = [
    STATUS,
    ...['status.d/base', 'status.d/libc6.md5sums', 'info/libc6:amd64.list'].map((name) => `var/lib/dpkg/${name}`),
  ]
  const others = [
    ...['status-old', 'available', 'info/libc6.postinst', 'info/a/b.list', 'status.d/a/b', 'status.d/'],
    ...['status/x'],
  ].map((name) => `var/lib/dpkg/${name}`)
  assert.deepEqual([...wanted, ...others, 'status', `x/${STATUS}`].filter(wants), wanted)
})

test('owned paths come from lists and from checksums, with the package', async () => {
  const list = await analyse('/.\n/lib\n/lib/x/libc.so.6\n/usr/bin/caf\u00e9\n', 'var/lib/dpkg/info/libc6:amd64.list')
  const latin1 = Buffer.from('café').toString('latin1')
  assert.deepEqual(
    [...(list.owned ?? [])],
    [
      ['lib', 'libc6'],
      ['lib/x/libc.so.6', 'libc6'],
      [`usr/bin/${latin1}`, 'libc6'],
    ],
  )
  const checksums = await analyse(`${'0'.repeat(32)}  usr/bin/a b\n\nx\n`, 'var/lib/dpkg/status.d/base.md5sums')
  assert.deepEqual([...(checksums.owned ?? [])], [['usr/bin/a b', 'base']])
})

test('what has no usable name or version is a gap, and the rest is read', async () => {
  const { packages, gaps } = await analyse(`Package: a
Status: install ok installed

Version: 1

Package: ${'x'.repeat(2000)}
Version: 1

Package: \u0007bell
Version: 1

Package: b
Version: 1
`)
  assert.deepEqual(
    packages?.map(({ name }) => name),
    ['b'],
  )
  assert.deepEqual(gaps, [{ where: STATUS, reason: 'a package has no usable name or version (4 times)' }])
})

test('a file that is no status is a gap, an empty one is not', async () => {
  assert.deepEqual(await analyse(Buffer.alloc(4096, 0xff)), {
    gaps: [{ where: STATUS, reason: 'it is not a list of packages' }],
  })
  assert.deepEqual(await analyse('\n\n'), {})
  assert.deepEqual(await analyse(''), {})
})

test('V01 any bytes are read without an error', async () => {
  const piece = fc.constantFrom(
    'Package: a',
    'Version: 1',
    'Source: b (2',
    'Status:',
    '\n',
    '\n\n',
    ' ',
    ':',
    '__proto__: x',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }), async (pieces) => {
      await analyse(pieces.join(''))
      const { owned = [] } = await analyse(pieces.join(''), 'var/lib/dpkg/info/a.list')
      for (const [path] of owned) assert.ok(!path.startsWith('/'))
    }),
  )
})

test('the time for lines without fields, and for one endless line, grows with their size only', async () => {
  const spent = processorTime()
  await analyse(Buffer.from('x\n'.repeat(1 << 20)))
  await analyse(Buffer.alloc(4 << 20, 0x20))
  await analyse(Buffer.from(`Package: ${'x'.repeat(4 << 20)}`))
  assert.ok(spent() < 5000)
})

const here = existsSync(`/${STATUS}`) && existsSync('/usr/bin/dpkg-query')

test('all packages of this machine, as dpkg-query has them', { skip: !here && 'this is not Debian' }, async () => {
  const fields = ['db:Status-Status', 'Package', 'Version', 'Architecture', 'source:Package', 'source:Version']
  const format = `${fields.map((field) => `\${${field}}`).join('	')}
`
  const expected = execFileSync('dpkg-query', ['-W', '-f', format], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '' && !/^(?:not-installed|config-files)\t/.test(line))
    .map((line) => line.slice(line.indexOf('\t') + 1))
  const { packages = [], gaps } = await analyse(await readBytes(`/${STATUS}`))
  const found = packages.map(({ name, version, architecture, source = { name, version } }) =>
    [name, version, architecture, source.name, source.version].join('\t'),
  )
  assert.ok(expected.length > 50)
  assert.deepEqual(found.sort(), expected.sort())
  assert.equal(gaps, undefined)
})
