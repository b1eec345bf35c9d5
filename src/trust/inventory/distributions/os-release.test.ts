import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryFile } from '../../../../test/kit/memory-file.ts'
import { chooseSystem, osRelease } from './index.ts'

const systemOf = async (path: string, text: string) => {
  assert.ok(osRelease.wants({ path, size: text.length, mode: 0o644 }), path)
  const { system } = await osRelease.analyse(memoryFile(path, Buffer.from(text)), () => undefined)
  return system
}

/** What an image with these files is. */
const chosen = async (files: Record<string, string>) => {
  const found = await Promise.all(
    Object.entries(files).map(async ([path, text]) => ({ path, system: await systemOf(path, text) })),
  )
  return chooseSystem(found.flatMap(({ path, system }) => (system ? [{ path, system }] : [])))
}

const DEBIAN_12 = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
`

test('os-release gives ID, version, code name, name and ancestors', async () => {
  assert.deepEqual(await systemOf('etc/os-release', DEBIAN_12), {
    id: 'debian',
    version: '12',
    codename: 'bookworm',
    name: 'Debian GNU/Linux 12 (bookworm)',
  })
  const rocky = `NAME="Rocky Linux"\nVERSION="9.3 (Blue Onyx)"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.3"\n`
  assert.deepEqual(await systemOf('usr/lib/os-release', rocky), {
    id: 'rocky',
    version: '9.3',
    name: 'Rocky Linux',
    like: ['rhel', 'centos', 'fedora'],
  })
})

test('values are quoted as in a shell', async () => {
  const names = [
    [`plain`, 'plain'],
    [`"two words"`, 'two words'],
    [`'two words'`, 'two words'],
    [`"a \\"b\\" \\$c \\\\ \\d"`, 'a "b" $c \\ \\d'],
    [`'a \\ "b"'`, 'a \\ "b"'],
    [`a\\ b`, 'a b'],
    [`"a"'b'c`, 'abc'],
    [`plain # a comment`, 'plain'],
    [`"never closed`, 'never closed'],
    [`ends in \\`, 'ends'],
  ] as const
  for (const [quoted, name] of names) {
    const system = await systemOf('etc/os-release', `ID=x\n# NAME=no\nNAME=${quoted}\n`)
    assert.equal(system?.name, name, quoted)
  }
})

test('the last assignment counts, an ID is in lower case, and one that is none becomes linux', async () => {
  assert.equal((await systemOf('etc/os-release', 'ID=a\nID=Debian\n'))?.id, 'debian')
  assert.equal((await systemOf('etc/os-release', 'ID="a b"\n'))?.id, 'linux')
  assert.equal((await systemOf('etc/os-release', 'NAME=a\n'))?.id, 'linux')
  assert.equal(await systemOf('etc/os-release', 'not an assignment\n'), undefined)
})

test('files of single distributions', async () => {
  const files = [
    ['etc/alpine-release', '3.19.1\n', 'alpine', '3.19.1'],
    ['etc/debian_version', '12.5\n', 'debian', '12'],
    ['etc/debian_version', '6.0.10\n', 'debian', '6'],
    ['etc/centos-release', 'CentOS Linux release 7.9.2009 (Core)\n', 'centos', '7.9.2009'],
    ['etc/centos-release', 'CentOS Stream release 9\n', 'centos', '9'],
    ['etc/redhat-release', 'Red Hat Enterprise Linux Server release 6.10 (Santiago)\n', 'rhel', '6.10'],
    ['etc/redhat-release', 'Rocky Linux release 9.3 (Blue Onyx)\n', 'rocky', '9.3'],
    ['etc/almalinux-release', 'AlmaLinux release 9.3 (Shamrock Pampas Cat)\n', 'almalinux', '9.3'],
    ['etc/oracle-release', 'Oracle Linux Server release 8.9\n', 'ol', '8.9'],
    ['usr/lib/fedora-release', 'Fedora release 39 (Thirty Nine)\n', 'fedora', '39'],
    ['etc/system-release', 'Amazon Linux release 2 (Karoo)\n', 'amzn', '2'],
    ['etc/system-release', 'Amazon Linux AMI release 2018.03\n', 'amzn', '2018.03'],
    ['etc/mariner-release', 'CBL-Mariner 2.0.20230126\nMARINER_BUILD_NUMBER=1\n', 'mariner', '2.0.20230126'],
    ['etc/photon-release', 'VMware Photon OS 4.0\nPHOTON_BUILD_NUMBER=1\n', 'photon', '4.0'],
    ['etc/SuSE-release', 'openSUSE 13.2 (x86_64)\nVERSION = 13.2\n', 'opensuse', '13.2'],
    ['etc/SuSE-release', 'SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n', 'sles', '11.4'],
    ['etc/lsb-release', 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_CODENAME=trusty\n', 'ubuntu', '14.04'],
  ] as const
  for (const [path, text, id, version] of files) {
    const system = await systemOf(path, text)
    assert.deepEqual({ id: system?.id, version: system?.version }, { id, version }, text)
  }
  assert.equal(await systemOf('etc/redhat-release', 'Unknown Linux release 1\n'), undefined)
  assert.equal(await systemOf('etc/debian_version', '\n'), undefined)
})

test('other files are not looked at', () => {
  for (const path of ['etc/os-release.bak', 'os-release', 'etc/release', 'usr/etc/os-release'])
    assert.equal(osRelease.wants({ path, size: 1, mode: 0o644 }), undefined)
})

test('os-release decides before the files of ancestors', async () => {
  const ubuntu = 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\n'
  const files = {
    'etc/debian_version': 'bookworm/sid\n',
    'etc/lsb-release': 'DISTRIB_ID=Other\n',
    'usr/lib/os-release': ubuntu,
  }
  assert.deepEqual(await chosen(files), { id: 'ubuntu', version: '22.04', like: ['debian'] })
})

test('without os-release the file of the distribution itself decides', async () => {
  const files = {
    'etc/redhat-release': 'Red Hat Enterprise Linux release 8.9 (Ootpa)\n',
    'etc/oracle-release': 'Oracle Linux Server release 8.9\n',
  }
  assert.equal((await chosen(files))?.id, 'ol')
  assert.equal(
    (await chosen({ 'etc/debian_version': '7.11\n', 'etc/lsb-release': 'DISTRIB_ID=LinuxMint\n' }))?.id,
    'linuxmint',
  )
  assert.equal(await chosen({}), undefined)
})

test('alpine-release gives the full version of Alpine, and of Alpine only', async () => {
  const release = { 'etc/alpine-release': '3.19.1\n' }
  assert.equal((await chosen({ 'etc/os-release': 'ID=alpine\nVERSION_ID=3.19\n', ...release }))?.version, '3.19.1')
  assert.equal((await chosen({ 'etc/os-release': 'ID=wolfi\nVERSION_ID=2023\n', ...release }))?.version, '2023')
})

test('debian_version tells the code name of testing and sid, which have no version', async () => {
  const old = { 'etc/os-release': 'ID=debian\nPRETTY_NAME="Debian GNU/Linux jessie/sid"\n' }
  assert.deepEqual(await chosen({ ...old, 'etc/debian_version': 'jessie/sid\n' }), {
    id: 'debian',
    codename: 'jessie',
    name: 'Debian GNU/Linux jessie/sid',
  })
  const stable = { 'etc/os-release': DEBIAN_12, 'etc/debian_version': '12.5\n' }
  assert.equal((await chosen(stable))?.version, '12')
})

test('any text is read without an error', async () => {
  const paths = ['etc/os-release', 'etc/lsb-release', 'etc/redhat-release', 'etc/SuSE-release', 'etc/debian_version']
  const piece = fc.constantFrom('ID=', 'NAME="', "'", '\\', '\n', 'CentOS release ', 'VERSION_ID=1', '__proto__=x')
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...paths),
      fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }),
      async (path, pieces) => void (await systemOf(path, pieces.join(''))),
    ),
  )
})
