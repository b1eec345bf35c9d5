import assert from 'node:assert/strict'
import { test } from 'node:test'
import { analyse, reasons } from './contract.ts'
import { rpm } from './rpm.ts'

const MANIFEST = 'var/lib/rpmmanifest/container-manifest-2'

const interest = (path: string) => rpm.wants({ path, size: 1, mode: 0o644 })

test('logs are kept beside the databases that may ask for them, and nowhere else', () => {
  for (const directory of ['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm']) {
    assert.equal(interest(`${directory}/rpmdb.sqlite`)?.kept, 'asks')
    assert.equal(interest(`${directory}/rpmdb.sqlite-wal`)?.kept, 'answers')
    assert.equal(interest(`${directory}/Packages.db`)?.kept, undefined)
  }
  const keys = ['var/lib/rpm', 'usr/share/rpm'].map((directory) => interest(`${directory}/rpmdb.sqlite`)?.as)
  assert.notEqual(keys[0], keys[1], 'a database with names in two directories is read with the log of each')
  for (const path of ['srv/large-wal', 'var/lib/rpm/Packages.db-wal', 'srv/var/lib/rpm/rpmdb.sqlite-wal'])
    assert.equal(interest(path), undefined)
})

test('databases are found where rpm and its users keep them, by the names of its three formats', () => {
  const wants = (path: string) => interest(path) !== undefined
  const wanted = ['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm'].flatMap((directory) =>
    ['rpmdb.sqlite', 'Packages.db', 'Packages'].map((name) => `${directory}/${name}`),
  )
  const others = ['var/lib/rpm/Name', 'Packages', 'srv/var/lib/rpm/Packages']
  assert.deepEqual([...wanted, MANIFEST, ...others].filter(wants), [...wanted, MANIFEST])
})

test('the list of an image without rpm', async () => {
  const lines = [
    'mariner-release\t2.0-12.cm2\t1653816591\t1653753130\tMicrosoft Corporation\t(none)\t580\tnoarch\t0\tmariner-release-2.0-12.cm2.src.rpm',
    'openssl-libs\t1.1.1k-15.cm2\t1653816591\t1653628955\tMicrosoft Corporation\t2\t4343\tx86_64\t2\topenssl-1.1.1k-15.cm2.src.rpm',
    '',
    'without-a-version',
    'local\t1-1\t1\t1\t(none)\t(none)\t1\t(none)\t0\t(none)',
  ]
  const found = await analyse(MANIFEST, Buffer.from(`${lines.join('\n')}\n`))
  assert.deepEqual(found.packages, [
    {
      type: 'rpm',
      name: 'mariner-release',
      version: '2.0-12.cm2',
      architecture: 'noarch',
      source: { name: 'mariner-release', version: '2.0-12.cm2' },
      vendor: 'Microsoft Corporation',
    },
    {
      type: 'rpm',
      name: 'openssl-libs',
      version: '2:1.1.1k-15.cm2',
      architecture: 'x86_64',
      source: { name: 'openssl', version: '2:1.1.1k-15.cm2' },
      vendor: 'Microsoft Corporation',
    },
    { type: 'rpm', name: 'local', version: '1-1' },
  ])
  assert.deepEqual(reasons(found), ['a package has no usable name or version'])
})
