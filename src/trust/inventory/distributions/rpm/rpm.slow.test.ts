import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readBytes, temporaryDirectory } from '#host/file'
import { analyse } from './contract.ts'

const skip = !existsSync('/usr/bin/rpmbuild') && '/usr/bin/rpmbuild is missing: install rpm'

/** Four packages of one source: one has another epoch than the source, one another version. */
const SPEC = `
Name: alpha
Version: 1.2~rc1
Release: 3%{?dist}
Epoch: 2
Summary: A
License: MIT AND BSD-3-Clause
Vendor: Example Vendor
BuildArch: noarch
ModularityLabel: nodejs:18:8060020220523160029:ad008a3a
%description
A
%package tools
Summary: B
License: GPL-2.0-only
%description tools
B
%package data
Summary: C
Version: 7
%description data
C
%package empty
Summary: D
Epoch: 0
%description empty
D
%install
mkdir -p %{buildroot}/usr/share/alpha/deep %{buildroot}/usr/bin
touch %{buildroot}/usr/bin/alpha %{buildroot}/usr/share/alpha/{a,b,c} %{buildroot}/usr/share/alpha/deep/{d,e}
%files
/usr/share/alpha
%files tools
/usr/bin/alpha
%files data
%ghost /usr/share/alpha.log
%files empty
`

test('packages and files of a database that rpm made, as rpm lists them', { skip }, async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-rpm-')
  const at = (name: string) => join(directory.path, name)
  const run = (program: string, ...words: string[]) =>
    execFileSync(program, words, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, HOME: at('') },
    })
  await writeFile(at('alpha.spec'), SPEC)
  run(
    'rpmbuild',
    '-bb',
    '--dbpath',
    at('none'),
    '--define',
    `_topdir ${at('build')}`,
    '--define',
    `_tmppath ${at('')}`,
    at('alpha.spec'),
  )
  const made = (await readdir(at('build/RPMS/noarch'))).map((name) => at(`build/RPMS/noarch/${name}`))
  run('rpm', '--dbpath', at('db'), '-i', '--justdb', '--nodeps', ...made)

  const tags = ['NAME', 'EVR', 'ARCH', 'SOURCERPM', 'VENDOR', 'LICENSE', 'MODULARITYLABEL']
  const query = ['--dbpath', at('db'), '-qa', '--qf']
  const expected = run('rpm', ...query, `${tags.map((tag) => `%{${tag}}`).join('\t')}\n`)
    .trim()
    .split('\n')
  const files = run('rpm', ...query, '[%{FILENAMES}\n]')
    .trim()
    .split('\n')

  const log = await readBytes(at('db/rpmdb.sqlite-wal'))
  const {
    packages = [],
    owned = [],
    gaps,
  } = await analyse('var/lib/rpm/rpmdb.sqlite', await readBytes(at('db/rpmdb.sqlite')), log)
  const found = packages.map((one) => {
    assert.equal(one.source?.name, 'alpha')
    const epoch = /^\d+:/.exec(one.version)?.[0] ?? ''
    assert.equal(one.source?.version, `${epoch}1.2~rc1-3`)
    return [
      one.name,
      one.version,
      one.architecture,
      'alpha-1.2~rc1-3.src.rpm',
      one.vendor,
      one.licences?.[0],
      one.modularity,
    ]
  })
  assert.equal(gaps, undefined)
  assert.equal(expected.length, 4)
  assert.deepEqual(found.map((fields) => fields.join('\t')).sort(), expected.sort())
  assert.deepEqual([...owned].map(([path]) => path).sort(), files.map((file) => file.slice(1)).sort())
})
