import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type TemporaryDirectory, temporaryDirectory } from '../../../../../test/kit/temporary.ts'
import { debianRelease } from './debian-release.ts'
import { readDebianSupport } from './debian-support.ts'
import { releaseEnds } from './release-ends.ts'

const DEBIAN = `version,codename,series,created,release,eol,eol-lts,eol-elts
11,Bullseye,bullseye,2019-07-06,2021-08-14,2024-08-14,2026-08-31,2031-06-30
12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-07-11,2028-06-30,2033-06-30
14,Forky,forky,2025-08-09
,Sid,sid,1993-08-16
`
const UBUNTU = `version,codename,series,created,release,eol,eol-server,eol-esm,eol-legacy
22.04 LTS,Jammy Jellyfish,jammy,2021-10-14,2022-04-21,2027-06-01,2027-06-01,2032-04-21,2034-04-25
22.10,Kinetic Kudu,kinetic,2022-04-21,2022-10-20,2023-07-20
`

async function data(): Promise<TemporaryDirectory> {
  const directory = await temporaryDirectory()
  for (const name of ['distro-info', 'debian-security-support']) mkdirSync(join(directory.path, name))
  const place = (name: string, text: string) => writeFileSync(join(directory.path, name), text)
  place('distro-info/debian.csv', DEBIAN)
  place('distro-info/ubuntu.csv', UBUNTU)
  place('debian-security-support/security-support-ended.deb11', '# none\n')
  place(
    'debian-security-support/security-support-ended.deb12',
    '\n# comment\ndnsdist   1.7.3-2\t2025-10-01  No fixes upstream\nphp-horde.*\t0\t2025-03-22\n',
  )
  place('debian-security-support/security-support-limited', 'binutils  Only for trusted content\ngolang.*\tSee notes\n')
  return directory
}

test("a release ends with Debian's own support, LTS included; others may go on", async () => {
  await using directory = await data()
  const bookworm = await readDebianSupport({ id: 'debian', version: '12.4' }, directory.path)
  assert.deepEqual(
    [bookworm?.ecosystem, bookworm?.endOfLife, bookworm?.extendedUntil],
    ['Debian:12', '2028-06-30', '2033-06-30'],
  )
  assert.deepEqual(await readDebianSupport({ id: 'ubuntu', version: '22.04' }, directory.path), {
    ecosystem: 'Ubuntu:22.04:LTS',
    endOfLife: '2027-06-01',
    extendedUntil: '2034-04-25',
  })
  assert.deepEqual(await readDebianSupport({ id: 'ubuntu', version: '22.10' }, directory.path), {
    ecosystem: 'Ubuntu:22.10',
    endOfLife: '2023-07-20',
  })
  assert.deepEqual(releaseEnds(DEBIAN, '14'), { name: '14' })
})

test('what is not known is undefined: other systems and releases, and machines without the data', async () => {
  await using directory = await data()
  for (const system of [
    { id: 'alpine', version: '3.19' },
    { id: 'debian', version: '77' },
    { id: 'debian' },
    { id: 'debian', version: '..' },
  ])
    assert.equal(await readDebianSupport(system, directory.path), undefined)
  assert.equal(await readDebianSupport({ id: 'debian', version: '12' }, join(directory.path, 'missing')), undefined)
})

test('source packages without security support have the reason; a pattern stands for all that begin so', async () => {
  await using directory = await data()
  const support = (await readDebianSupport({ id: 'debian', version: '12' }, directory.path))!
  const reasons = ['dnsdist', 'php-horde-core', 'binutils', 'golang-1.19', 'bash', 'go'].map((one) =>
    support.unsupported!.get(one),
  )
  assert.deepEqual(reasons, [
    'security support of 1.7.3-2 ended on 2025-10-01: No fixes upstream',
    'security support of 0 ended on 2025-03-22',
    'limited security support: Only for trusted content',
    'limited security support: See notes',
    undefined,
    undefined,
  ])
})

test('the list of limited support is that of the newest release that the package knows', async () => {
  await using directory = await data()
  assert.equal((await readDebianSupport({ id: 'debian', version: '11' }, directory.path))!.unsupported!.size, 0)
  writeFileSync(join(directory.path, 'debian-security-support/security-support-limited.deb11'), 'x y\n')
  const own = (await readDebianSupport({ id: 'debian', version: '11' }, directory.path))!
  assert.deepEqual([...own.unsupported!], [['x', 'limited security support: y']])
})

test('the release of an image is known by its number, also when it does not say its codename', () => {
  assert.deepEqual(debianRelease({ id: 'debian', version: '12' }), { codename: 'bookworm', version: '12' })
  assert.deepEqual(debianRelease({ id: 'debian', version: '11.9', codename: 'x' }), {
    codename: 'bullseye',
    version: '11',
  })
  assert.deepEqual(debianRelease({ id: 'debian', version: '16', codename: 'new' }), { codename: 'new', version: '16' })
  for (const system of [
    { id: 'debian' },
    { id: 'debian', codename: 'sid' },
    { id: 'debian', version: '99', codename: '../x' },
    { id: 'debian', version: 'constructor' },
    { id: 'ubuntu', version: '12' },
  ])
    assert.equal(debianRelease(system), undefined)
})
