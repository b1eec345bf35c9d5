/**
 * What bale lists of an image is what trivy lists of it: each package with its version, the layer that brought it, and the
 * source that a package of a distribution was built from. Few tests with much in each: trivy takes seconds to start.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { readBytes, readText } from '#host/file'
import { checkedManifest } from '#image'
import { openArchive } from '#transport'
import { type Inventory, takeInventory } from '#trust/inventory'
import { archiveOfTars } from '../kit/archive-of-tars.ts'
import { file, link, tarOf } from '../kit/layer-kit.ts'
import { empty, filesOf, gem, javaArchives, modules, npm, programs, python } from '../kit/package-files.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { trivyPackages, withoutTrivy } from '../kit/trivy.ts'
import { zipOf } from '../kit/zip.ts'

interface Difference {
  /** Of the test that meets it: else it is to be removed. */
  readonly image: string
  /** Who lists the package alone. */
  readonly by: 'bale' | 'trivy'
  /** Of the line of a package. */
  readonly line: RegExp
  readonly reason: string
}

/** All that the two list differently. */
const DIFFERENCES: readonly Difference[] = [
  { image: 'Debian', by: 'bale', line: /^npm left-over /, reason: 'trivy forgets no package that owned a file' },
  { image: 'languages', by: 'trivy', line: /^npm hidden /, reason: 'trivy looks below a file in place of a directory' },
  { image: 'languages', by: 'bale', line: /^npm hard-linked /, reason: 'trivy passes over hard links' },
  { image: 'languages', by: 'bale', line: /^npm locked /, reason: 'trivy reads no lockfiles of images' },
  { image: 'languages', by: 'bale', line: /^composer /, reason: 'trivy 0.44 knows composer by its lockfile only' },
  { image: 'languages', by: 'bale', line: /^golang stdlib /, reason: 'trivy 0.44 lists no standard library' },
  { image: 'languages', by: 'bale', line: /^golang \S+\/typescript-go /, reason: 'trivy 0.44 lists no main module' },
  { image: 'languages', by: 'bale', line: /^maven org\.(?:vendor|place):/, reason: 'trivy needs an index for these' },
]

type Layer = Parameters<typeof tarOf>[0]

/** Asserts that both list the same, with these lines among it. */
async function assertSame(image: string, layers: readonly Layer[], among: readonly string[]): Promise<void> {
  await using directory = await temporaryDirectory('bale-oracle')
  const path = join(directory.path, 'image.tar')
  await archiveOfTars(path, await Promise.all(layers.map(tarOf)))
  const { packages, gaps, layers: described } = await inventoryOf(path, directory.path)
  const layerOf = new Map<string | undefined, number>(described.map(({ diffId }, index) => [diffId, index]))
  const ours = packages.map(({ source, ...one }) =>
    lineOf({ ...one, source: source && `${source.name} ${source.version}` }),
  )
  const theirs = (await trivyPackages({ tar: path })).map((one) => lineOf({ ...one, layer: layerOf.get(one.layer) }))
  const differences = DIFFERENCES.filter((one) => one.image === image)
  const met = new Set<Difference>()
  const alone = (by: Difference['by'], lines: readonly string[], others: ReadonlySet<string>) =>
    lines.filter((line) => {
      if (others.has(line)) return false
      const expected = differences.find((one) => one.by === by && one.line.test(line))
      if (expected) met.add(expected)
      return !expected
    })
  assert.deepEqual(
    { bale: alone('bale', ours, new Set(theirs)), trivy: alone('trivy', theirs, new Set(ours)) },
    { bale: [], trivy: [] },
  )
  assert.deepEqual(
    differences.filter((one) => !met.has(one)),
    [],
  )
  for (const line of among) assert.ok(ours.includes(line), `${line} is not among\n${ours.join('\n')}`)
  assert.deepEqual(gaps, [])
}

async function inventoryOf(path: string, temporary: string): Promise<Inventory> {
  await using archive = await openArchive(path)
  const manifest = checkedManifest(await archive.resolve(archive.images()[0]!.descriptor.digest))
  return takeInventory(archive, manifest, { temporary })
}

interface Listed {
  readonly type: string
  readonly name: string
  readonly version: string
  readonly layer?: number
  readonly source?: string
}

const DISTRIBUTED = new Set(['deb', 'rpm', 'apk'])

/** An epoch of zero is none; a package that names no source is its own. */
function lineOf({ type, name, version, layer, source = `${name} ${version}` }: Listed): string {
  const whole = `${type} ${name} ${version} of layer ${layer}`
  return (DISTRIBUTED.has(type) ? `${whole} from ${source}` : whole).replaceAll(' 0:', ' ')
}

const STATUS = 'var/lib/dpkg/status'
const DIST_PACKAGES = 'usr/lib/python3/dist-packages'
const SITE_PACKAGES = 'usr/lib/python3.11/site-packages'
const GEMS = 'var/lib/gems/3.1.0/specifications'

/** In binary: maintainers have names in every script. */
const text = (words: string) => Buffer.from(words)

test('a Debian system, packages of languages that it installed or did not, and packages that go in an upper layer', {
  skip: withoutTrivy || (!existsSync(`/${STATUS}`) && 'this machine is no Debian'),
}, async () => {
  const status = (await readText(`/${STATUS}`)).trimEnd()
  const owning = ['Package: owning', 'Status: install ok installed', 'Maintainer: A <a@debian.org>']
  const built = ['Architecture: all', 'Source: origin (1:2-1)', 'Version: 3:4-1+b1', 'Description: it owns others']
  const gone = ['Package: gone', 'Status: deinstall ok config-files', 'Architecture: all', 'Version: 1', '']
  const paragraph = [...owning, ...built, '', ...gone].join('\n')
  const owned = [
    file(`${DIST_PACKAGES}/owned-4.dist-info/METADATA`, python('owned', '4')),
    file(`${GEMS}/owned-4.gemspec`, gem('owned', '4')),
    file('usr/share/nodejs/owned/package.json', npm('owned')),
    file('usr/share/nodejs/left-over/package.json', npm('left-over')),
  ]
  const list = ['/.', ...owned.map(({ entry }) => `/${entry.name}`), ''].join('\n')
  const base = [
    ...(await filesOf('/', [
      ...['etc/debian_version', 'usr/lib/os-release', 'var/lib/dpkg/info/*.list'],
      ...[`${DIST_PACKAGES}/*-info`, `${DIST_PACKAGES}/*-info/*`, 'usr/share/nodejs/**/package.json'],
      'usr/share/rubygems-integration/*/specifications/*.gemspec',
    ])),
    file(STATUS, text(`${status}\n\n${paragraph}`)),
    file('var/lib/dpkg/status.d/single', 'Package: single\nVersion: 2:1.0-1\nArchitecture: amd64\nSource: several\n'),
    file('var/lib/dpkg/info/owning.list', list),
    ...owned,
  ]
  const languages = [
    file('usr/local/lib/python3.11/dist-packages/free-1.2.dist-info/METADATA', python('free', '1.2')),
    file(`${DIST_PACKAGES}/Also.Free-1.egg-info`, python('Also.Free', '1')),
    file(`${GEMS}/free-1.2.gemspec`, gem('free', '1.2')),
    file('usr/local/lib/node_modules/free/package.json', npm('free')),
  ]
  const fewer = status
    .replace(/^Package: (?:dpkg|base-files)\n(?:.+\n)+\n/gm, '')
    .replace(/^(Package: bash\n(?:.+\n)*?Version: ).*/m, '$199:1-1')
  const upper = [
    file(STATUS, text(`${fewer}\n`)),
    empty('var/lib/dpkg/info/.wh.owning.list'),
    ...[`${DIST_PACKAGES}/.wh.owned-4.dist-info`, `${GEMS}/.wh.owned-4.gemspec`, 'usr/share/nodejs/.wh.owned'].map(
      empty,
    ),
    empty(`${GEMS}/.wh.free-1.2.gemspec`),
    empty('usr/local/lib/python3.11/.wh.dist-packages'),
  ]
  await assertSame(
    'Debian',
    [base, languages, upper],
    ['deb single 2:1.0-1 of layer 0 from several 2:1.0-1', 'npm free 1.0.0 of layer 1'],
  )
})

const LOCKFILE = {
  ...{ name: 'app', lockfileVersion: 3 },
  packages: { '': { name: 'app', version: '1.0.0' }, 'node_modules/locked': { version: '1.0.0' } },
}

test('packages of languages and programs, replaced and removed by upper layers', {
  skip: withoutTrivy || (!existsSync('/usr/bin/objcopy') && '/usr/bin/objcopy is missing: install binutils'),
}, async () => {
  const site = 'opt/venv/lib/python3.12/site-packages'
  const base = [
    ...(await filesOf(
      modules('.'),
      ['{@sigstore/*,@types/*,ajv*,accepts,debug,koa}/**/package.json'],
      'app/node_modules',
    )),
    file('app/node_modules/.pnpm/real@1.0.0/node_modules/real/package.json', npm('real')),
    link('app/node_modules/real', '.pnpm/real@1.0.0/node_modules/real'),
    file('store/0123', npm('hard-linked')),
    link('app/node_modules/hard-linked/package.json', 'store/0123', 'hardlink'),
    file('app/node_modules/becomes-a-file/package.json', npm('hidden')),
    file('app/package.json', npm('app')),
    file('app/package-lock.json', JSON.stringify(LOCKFILE)),
    file('srv/package-lock.json', JSON.stringify(LOCKFILE)),
    file('srv/package.json', '{"type":"module"}'),
    file(`${site}/PyYAML-6.0.dist-info/METADATA`, python('PyYAML', '6.0')),
    file(`${site}/a.name_with-all-1.dist-info/METADATA`, python('a.name_with-all', '1.0rc1')),
    file(`${site}/old-1.egg-info`, python('old', '1')),
    file(`${site}/older.egg-info/PKG-INFO`, python('older', '2')),
    file(`${site}/unpacked-3.egg/EGG-INFO/PKG-INFO`, python('unpacked', '3')),
    file(`${site}/zipped-3.egg`, zipOf([{ name: 'EGG-INFO/PKG-INFO', data: python('zipped', '3') }])),
    file('usr/lib/ruby/gems/3.2.0/specifications/rack-2.2.8.gemspec', gem('rack', '2.2.8')),
    file('usr/lib/ruby/gems/3.2.0/specifications/default/json-2.6.1.gemspec', gem('json', '2.6.1')),
    file('app/vendor/composer/installed.json', JSON.stringify({ packages: [{ name: 'a/b', version: '1.0.0' }] })),
    file('app/app.deps.json', JSON.stringify({ libraries: { 'Net/1.0.0': { type: 'package' } } })),
    ...javaArchives(),
    ...(await programs()),
  ]
  const upper = [
    empty('app/node_modules/koa/.wh..wh..opq'),
    file('app/node_modules/koa/package.json', npm('koa', '99.0.0')),
    empty('app/node_modules/.wh.ajv-formats'),
    empty('app/node_modules/becomes-a-file'),
    ...(await filesOf(modules('.'), ['debug/package.json'], 'app/node_modules')),
    file(`${site}/PyYAML-6.0.dist-info/METADATA`, python('PyYAML', '6.1')),
    empty('opt/.wh.all.ear'),
  ]
  await assertSame(
    'languages',
    [base, upper],
    ['npm koa 99.0.0 of layer 1', 'pypi PyYAML 6.1 of layer 1', 'cargo libc 0.2.150 of layer 0'],
  )
})

const SPEC = `
Name: alpha
Version: 1.2~rc1
Release: 3.el9
Epoch: 2
Summary: A
License: MIT AND BSD-3-Clause
Vendor: Rocky Enterprise Software Foundation
BuildArch: noarch
AutoReqProv: no
%description
A
%package -n python3-alpha
Summary: B
Epoch: 0
Version: 7
AutoReqProv: no
%description -n python3-alpha
B
%install
mkdir -p %{buildroot}/${SITE_PACKAGES}/owned-4.dist-info %{buildroot}/usr/share/alpha
touch %{buildroot}/${SITE_PACKAGES}/owned-4.dist-info/METADATA
%files
/usr/share/alpha
%files -n python3-alpha
/${SITE_PACKAGES}/owned-4.dist-info
`

/** Python packages: a package of the distribution installed one of them. */
const OWNED = file(`${SITE_PACKAGES}/owned-4.dist-info/METADATA`, python('owned', '4'))
const FREE = file(`${SITE_PACKAGES}/free-1.dist-info/METADATA`, python('free', '1'))

const osRelease = (id: string, version: string) => file('etc/os-release', `ID=${id}\nVERSION_ID="${version}"\n`)

test('a relative of Red Hat, by the database that rpm makes', {
  skip: withoutTrivy || (!existsSync('/usr/bin/rpmbuild') && '/usr/bin/rpmbuild is missing: install rpm'),
}, async () => {
  await using directory = await temporaryDirectory()
  const at = (name: string) => join(directory.path, name)
  const run = (program: string, ...words: string[]) =>
    execFileSync(program, words, { stdio: 'ignore', env: { ...process.env, HOME: at('') } })
  const database = async () => {
    // Its log becomes part of it, as when the last program that used it has ended.
    using open = new DatabaseSync(at('db/rpmdb.sqlite'))
    open.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    return file('var/lib/rpm/rpmdb.sqlite', await readBytes(at('db/rpmdb.sqlite')))
  }
  await writeFile(at('alpha.spec'), SPEC)
  const places = ['--define', `_topdir ${at('build')}`, '--define', `_tmppath ${at('')}`]
  run('rpmbuild', '-bb', '--dbpath', at('none'), ...places, at('alpha.spec'))
  const built = await readdir(at('build/RPMS/noarch'))
  const rpm = ['--dbpath', at('db'), '--nodeps', '--justdb']
  run('rpm', ...rpm, '-i', ...built.map((name) => at(`build/RPMS/noarch/${name}`)))
  const release = [osRelease('rocky', '9.3'), file('etc/rocky-release', 'Rocky Linux release 9.3 (Blue Onyx)\n')]
  const base = [...release, await database(), OWNED, FREE]
  run('rpm', ...rpm, '-e', 'alpha')
  await assertSame(
    'Red Hat',
    [base, [await database()]],
    ['rpm python3-alpha 7-3.el9 of layer 0 from alpha 1.2~rc1-3.el9', 'pypi free 1 of layer 0'],
  )
})

test('Alpine Linux, with a package that an upper layer brings, and one that it takes away', {
  skip: withoutTrivy,
}, async () => {
  const apk = (name: string, version: string, ...more: string[]) =>
    [`P:${name}`, `V:${version}`, 'A:x86_64', 'L:MIT', ...more, '', ''].join('\n')
  const musl = apk('musl', '1.2.4-r2', 'o:musl', 'F:lib', 'R:ld-musl-x86_64.so.1')
  const owning = apk('py3-owned', '4-r0', 'o:py3-owned', `F:${SITE_PACKAGES}/owned-4.dist-info`, 'R:METADATA')
  const database = (...packages: string[]) => file('lib/apk/db/installed', packages.join(''))
  const release = [osRelease('alpine', '3.19.1'), file('etc/alpine-release', '3.19.1\n')]
  await assertSame(
    'Alpine',
    [
      [...release, database(musl, apk('libcrypto3', '3.1.4-r5', 'o:openssl')), FREE],
      [database(musl, apk('libcrypto3', '3.1.4-r6', 'o:openssl'), owning), OWNED],
      [database(musl, apk('.build-deps', '20240101.000000'), owning), empty(`${SITE_PACKAGES}/.wh.free-1.dist-info`)],
    ],
    ['apk musl 1.2.4-r2 of layer 0 from musl 1.2.4-r2', 'apk py3-owned 4-r0 of layer 1 from py3-owned 4-r0'],
  )
})
