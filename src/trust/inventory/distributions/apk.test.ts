import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryFile } from '../../../../test/kit/memory-file.ts'
import { apk } from './index.ts'

const INSTALLED = 'lib/apk/db/installed'

const analyse = async (text: string) => apk.analyse(memoryFile(INSTALLED, Buffer.from(text)), () => undefined)

const DATABASE = `C:Q1p78yvTLG094tHE1+dToJGbmYzQE=
P:libcrypto3
V:3.1.4-r5
A:x86_64
S:1750000
I:4300800
T:Crypto library from openssl
U:https://www.openssl.org/
L:Apache-2.0
o:openssl
m:Ariadne Conill <ariadne@dereferenced.org>
t:1706263846
c:b784a22cad0c452586b438cb7a597d846fc09ff4
D:so:libc.musl-x86_64.so.1
p:so:libcrypto.so.3=3
F:etc
F:etc/ssl
M:0:0:755
R:openssl.cnf
a:0:0:644
Z:Q1wGuxVEOK9iGLj1i7D3BSBnT7MJA=
F:lib
R:libcrypto.so.3
F:

P:.build-deps
V:20240101.000000
A:noarch
r:x

P:musl
V:1.2.4_git20230717-r4
A:x86_64
L:MIT
o:musl
`

test('a package has its architecture, licence, maintainer, and its origin with the same version', async () => {
  const { packages, gaps } = await analyse(DATABASE)
  assert.equal(gaps, undefined)
  assert.deepEqual(packages, [
    {
      type: 'apk',
      name: 'libcrypto3',
      version: '3.1.4-r5',
      architecture: 'x86_64',
      source: { name: 'openssl', version: '3.1.4-r5' },
      licences: ['Apache-2.0'],
      vendor: 'Ariadne Conill <ariadne@dereferenced.org>',
    },
    { type: 'apk', name: '.build-deps', version: '20240101.000000', architecture: 'noarch' },
    {
      type: 'apk',
      name: 'musl',
      version: '1.2.4_git20230717-r4',
      architecture: 'x86_64',
      source: { name: 'musl', version: '1.2.4_git20230717-r4' },
      licences: ['MIT'],
    },
  ])
})

test('files are owned with their directories', async () => {
  const { owned = [] } = await analyse(DATABASE)
  assert.deepEqual(
    [...owned],
    [
      ['etc/ssl/openssl.cnf', 'libcrypto3'],
      ['lib/libcrypto.so.3', 'libcrypto3'],
    ],
  )
})

test('the database is found where apk keeps it, and nowhere else', () => {
  const wants = (path: string) => apk.wants({ path, size: 1, mode: 0o644 }) !== undefined
  assert.ok(wants(INSTALLED) && wants(`usr/${INSTALLED}`))
  assert.ok(!wants('lib/apk/db/installed.new') && !wants(`x/${INSTALLED}`) && !wants('lib/apk/db/triggers'))
})

test('a database cut anywhere gives the packages before the cut', async () => {
  for (let length = 0; length <= DATABASE.length; length++) {
    const { packages = [] } = await analyse(DATABASE.slice(0, length))
    assert.ok(packages.length <= 3)
    if (length > DATABASE.indexOf('P:musl')) assert.equal(packages[0]?.name, 'libcrypto3')
  }
})

test('what is no database is a gap', async () => {
  const { gaps } = await analyse('<html>')
  assert.deepEqual(gaps, [{ where: INSTALLED, reason: 'it is not a list of packages' }])
})
