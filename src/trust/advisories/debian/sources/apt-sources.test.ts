import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { processorTime } from '../../../../../test/kit/processor-time.ts'
import { temporaryDirectory } from '../../../../../test/kit/temporary.ts'
import { parseAptSources } from './apt-sources.ts'
import { mirrorPlaces } from './mirror-places.ts'
import { readAptSources } from './read-apt-sources.ts'

const lines = (text: string) => parseAptSources([{ name: 'sources.list', text }])
const paragraphs = (text: string) => parseAptSources([{ name: 'debian.sources', text }])

test('one-line sources: options, comments, several components; sources of source code are left out', () => {
  assert.deepEqual(
    lines(`# a comment
deb http://deb.debian.org/debian/ bookworm main contrib # why
deb-src http://deb.debian.org/debian bookworm main
  deb [ arch=amd64,arm64 signed-by=/k/a.gpg,/k/b.asc check-valid-until=no ] https://m.test/d bookworm-security main
deb http://only.test/uri
debug http://x.test y z
`),
    [
      {
        uri: 'http://deb.debian.org/debian',
        suite: 'bookworm',
        components: ['main', 'contrib'],
        signedBy: undefined,
        checkValidUntil: true,
      },
      {
        uri: 'https://m.test/d',
        suite: 'bookworm-security',
        components: ['main'],
        signedBy: { files: ['/k/a.gpg', '/k/b.asc'], fingerprints: [] },
        checkValidUntil: false,
      },
    ],
  )
})

test('deb822 sources: all combinations of URIs and suites, continued lines, disabled ones left out', () => {
  const found = paragraphs(`Types: deb deb-src
URIs: http://one.test/debian
 https://two.test/debian/
Suites: bookworm bookworm-updates
# a comment inside
Components: main non-free
Signed-By: 0123456789abcdef0123456789ABCDEF01234567!

Enabled: no
Types: deb
URIs: http://off.test/
Suites: bookworm

types: deb
uris: http://old.test/debian
suites: stretch
components: main
check-valid-until: no
`)
  assert.deepEqual(
    found.map(({ uri, suite }) => `${uri} ${suite}`),
    [
      'http://one.test/debian bookworm',
      'http://one.test/debian bookworm-updates',
      'https://two.test/debian bookworm',
      'https://two.test/debian bookworm-updates',
      'http://old.test/debian stretch',
    ],
  )
  assert.deepEqual(found[0]!.components, ['main', 'non-free'])
  assert.deepEqual(found[0]!.signedBy, { files: [], fingerprints: ['0123456789ABCDEF0123456789ABCDEF01234567'] })
  assert.deepEqual([found[0]!.checkValidUntil, found[4]!.checkValidUntil], [true, false])
})

test('a key that is written in the source keeps its lines', () => {
  const [source] = paragraphs(`Types: deb
URIs: http://a.test
Suites: bookworm
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDME
 -----END PGP PUBLIC KEY BLOCK-----
`)
  assert.equal(
    source!.signedBy!.armoured,
    '\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----',
  )
})

test('whatever a file of sources has, reading it ends and throws nothing', () => {
  fc.assert(
    fc.property(fc.string(), fc.boolean(), (text, is822) => {
      parseAptSources([{ name: is822 ? 'a.sources' : 'a.list', text: `deb ${text}\nURIs: ${text}` }])
    }),
  )
  const long = `deb ${'[ '.repeat(200_000)}\ndeb ${'/'.repeat(500_000)}x ${'#'.repeat(100_000)}`
  const spent = processorTime()
  lines(long)
  paragraphs(`URIs: ${'/'.repeat(1_000_000)}`)
  assert.ok(spent() < 5_000)
})

test("apt's directory: sources.list first, only files that apt reads, lists of mirrors taken apart", async () => {
  await using directory = await temporaryDirectory()
  const parts = join(directory.path, 'sources.list.d')
  mkdirSync(parts)
  const place = (name: string, text: string) => writeFileSync(join(directory.path, name), text)
  place('sources.list', 'deb http://a.test/d bookworm main\n')
  place('sources.list.d/z.list', `deb mirror+file:${directory.path}/mirrors bookworm main\n`)
  place('mirrors', '# near\nhttps://m1.test/debian/\tpriority:1\n\nhttps://m2.test/debian\n')
  place('sources.list.d/b.sources', 'Types: deb\nURIs: http://b.test/d\nSuites: bookworm\nComponents: main\n')
  place('sources.list.d/c.list.disabled', 'deb http://no.test/d bookworm main\n')
  place('sources.list.d/.hidden.list', 'deb http://no.test/d bookworm main\n')
  place('sources.list.d/gone.list', 'deb mirror+file:/nonexistent/list bookworm main\n')
  assert.deepEqual(
    (await readAptSources(directory.path)).map(({ uri }) => uri),
    [
      'http://a.test/d',
      'http://b.test/d',
      'mirror+file:/nonexistent/list',
      'https://m1.test/debian',
      'https://m2.test/debian',
    ],
  )
  assert.deepEqual(await readAptSources(join(directory.path, 'missing')), [])
})

test('places are URIs by archive, whatever release they are configured for; backports and the like are none', () => {
  const places = mirrorPlaces(
    lines(`deb http://d.test/debian bookworm main
deb http://d.test/debian bookworm-updates main contrib
deb http://d.test/debian bookworm-backports main
deb http://d.test/debian-security bookworm-security main
deb http://old.test/security buster/updates main
deb http://flat.test/ ./
deb http://p.test/debian bookworm-proposed-updates main`),
  )
  assert.deepEqual(
    places.map(({ kind, uri, components }) => `${kind} ${uri} ${components}`),
    [
      'main http://d.test/debian main,contrib',
      'security http://d.test/debian-security main',
      'security http://old.test/security main',
    ],
  )
})
