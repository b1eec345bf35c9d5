import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { type Clock, isBaleError, systemClock } from '#base'
import { readTextSync } from '#host/file'
import { createFetcher, type Fetcher } from '#transport'
import {
  type ArchivedPackage,
  type ArchiveFiles,
  type ArchiveKey,
  archiveKey,
  debWithChangelog,
  hasGnupg,
  packagesText,
  publishSuite,
  releaseText,
  serveArchive,
  xz,
} from '../../../../test/kit/debian-mirror.ts'
import type { PlannedServer } from '../../../../test/kit/planned-server.ts'
import { temporaryDirectory } from '../../../../test/kit/temporary.ts'
import type { Advisories } from '../advisory.ts'
import { type DebianMirror, type DebianMirrorOptions, openDebianMirror } from './open-debian-mirror.ts'
import { type AptSource, parseAptSources } from './sources/apt-sources.ts'

const skip = hasGnupg ? false : 'gpg or gpgv is missing (Debian: gnupg, gpgv)'
const key = hasGnupg ? await archiveKey() : (undefined as unknown as ArchiveKey)
const fetcher = createFetcher({})
after(() => fetcher[Symbol.asyncDispose]())
after(() => key?.[Symbol.asyncDispose]())

const NOW = Date.parse('2026-01-12T00:00:00Z')
const HOUR = 3_600_000
const ECOSYSTEM = 'Debian:12'

/** An archive on loopback and a machine that is configured with it. */
interface Setting extends AsyncDisposable {
  readonly files: ArchiveFiles
  readonly server: PlannedServer
  readonly directory: string
  /** Adds hours to the time of the machine. */
  pass(hours: number): void
  publish(path: string, packages: readonly ArchivedPackage[], fields?: Record<string, string | undefined>): void
  sources(text: string): AptSource[]
  open(options?: Partial<DebianMirrorOptions>): Promise<DebianMirror>
}

async function setting(files: ArchiveFiles = new Map()): Promise<Setting> {
  const server = await serveArchive(files)
  const directory = await temporaryDirectory()
  const keyring = join(directory.path, 'archive.gpg')
  writeFileSync(keyring, key.public)
  const time = { now: NOW }
  const clock: Clock = { ...systemClock, now: () => time.now }
  const sources = (text: string) =>
    parseAptSources([
      { name: 'sources.list', text: text.replaceAll('MIRROR', server.url).replaceAll('KEYRING', keyring) },
    ])
  return {
    files,
    server,
    directory: join(directory.path, 'kept'),
    pass: (hours) => {
      time.now += hours * HOUR
    },
    publish: (path, packages, fields = {}) => publishSuite(files, { path, packages, fields }, { key }),
    sources,
    open: (options = {}) =>
      openDebianMirror({
        sources: sources(
          'deb [signed-by=KEYRING] MIRROR trixie main\ndeb [signed-by=KEYRING] MIRROR trixie-security main',
        ),
        codename: 'bookworm',
        version: '12',
        architecture: 'amd64',
        fetcher,
        directory: join(directory.path, 'kept'),
        clock,
        ...options,
      }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

/**
 * OpenSSL with a security update, zlib without, sed and grep with updates by a point release. Made once: signing
 * takes time.
 */
const usualFiles = hasGnupg ? await makeUsual() : new Map()

async function makeUsual(): Promise<ArchiveFiles> {
  const files: ArchiveFiles = new Map()
  const openssl = await debWithChangelog('libssl3', 'openssl', {
    '3.0.2-1': 'Fix CVE-2026-0002 and CVE-2026-0003.',
    '3.0.1-2': 'Fix CVE-2026-0001.',
    '3.0.1-1': 'Old: CVE-2020-0001.',
  })
  const sed = await debWithChangelog('sed', 'sed', { '4.9-2': 'Fix CVE-2026-1000.', '4.9-1': 'Initial.' })
  const grep = await debWithChangelog('grep', 'grep', { '3.8-6': 'Better manual.', '3.8-5': 'Initial.' })
  const suites: Record<string, ArchivedPackage[]> = {
    'bookworm-security': [{ name: 'libssl3', source: 'openssl', version: '3.0.2-1', bytes: openssl }],
    bookworm: [
      { name: 'libssl3', source: 'openssl', version: '3.0.1-1' },
      { name: 'zlib1g', source: 'zlib', version: '1:1.2.13.dfsg-1' },
      { name: 'sed', version: '4.9-2', bytes: sed },
      { name: 'grep', version: '3.8-6', bytes: grep },
    ],
    'bookworm-updates': [],
  }
  for (const [path, packages] of Object.entries(suites)) publishSuite(files, { path, packages }, { key })
  return files
}

async function usual(): Promise<Setting> {
  return setting(new Map(usualFiles))
}

function idsOf(advisories: Advisories, source: string): string[] {
  return advisories.find(ECOSYSTEM, source).map(({ id, ranges }) => `${id} ${JSON.stringify(ranges[0]!.events)}`)
}

function remarkOf(advisories: Advisories): string {
  return advisories.coverage(ECOSYSTEM)[0]!.remark!
}

async function refused(opening: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(opening, (error) => {
    assert.ok(isBaleError(error), String(error))
    assert.match(`${error.code} ${error.message}`, new RegExp(`^${code} .*${message.source}`, 's'))
    return true
  })
}

test('an update in the security archive is an advisory for all versions below; other packages have none', {
  skip,
}, async () => {
  await using made = await usual()
  const mirror = await made.open()
  assert.deepEqual(mirror.find(ECOSYSTEM, 'openssl'), [
    {
      id: 'DEBIAN-UPDATE-openssl-3.0.2-1',
      aliases: [],
      ecosystem: ECOSYSTEM,
      name: 'openssl',
      ranges: [{ events: [{ introduced: '0' }, { fixed: '3.0.2-1' }] }],
      state: 'fixed',
      summary: 'A security update of openssl is available',
      url: 'https://security-tracker.debian.org/tracker/source-package/openssl',
      source: 'debian-index',
      remark: 'an update of the security archive; its changelog, which may name CVE ids, was not read',
    },
  ])
  for (const source of ['zlib', 'sed', 'grep', 'libssl3']) assert.deepEqual(mirror.find(ECOSYSTEM, source), [], source)
  assert.deepEqual(mirror.find('Debian:11', 'openssl'), [])
  assert.deepEqual(mirror.coverage('Debian:11'), [])
  const [coverage] = mirror.coverage(ECOSYSTEM)
  assert.equal(coverage?.knows, 'fixed')
  assert.equal(coverage.asOf, '2026-01-10T10:00:00.000Z')
  assert.equal(coverage.advisories, 1)
})

test('packages that the release does not have are foreign; without the release none is', { skip }, async () => {
  await using made = await usual()
  const mirror = await made.open()
  assert.deepEqual(
    ['openssl', 'zlib', 'docker-ce'].map((source) => mirror.isForeign?.(ECOSYSTEM, source)),
    [false, false, true],
  )
  made.files.delete('dists/bookworm/InRelease')
  const without = await made.open({ directory: join(made.directory, 'other') })
  assert.equal(without.isForeign?.(ECOSYSTEM, 'docker-ce'), false)
  assert.match(remarkOf(without), /bookworm is missing/)
})

test('changelogs name the CVE ids that updates fix, also of point releases, above what is installed', {
  skip,
}, async () => {
  await using made = await usual()
  const mirror = await made.open()
  const known = await mirror.withChangelogs([
    { source: 'openssl', version: '3.0.1-1' },
    { source: 'openssl', version: '3.0.1-2' },
    { source: 'sed', version: '4.9-1' },
    { source: 'grep', version: '3.8-5' },
    { source: 'zlib', version: '1:1.2.13.dfsg-1' },
    { source: 'docker-ce', version: '1' },
  ])
  assert.deepEqual(idsOf(known, 'openssl'), [
    'CVE-2026-0002 [{"introduced":"0"},{"fixed":"3.0.2-1"}]',
    'CVE-2026-0003 [{"introduced":"0"},{"fixed":"3.0.2-1"}]',
    'CVE-2026-0001 [{"introduced":"0"},{"fixed":"3.0.1-2"}]',
  ])
  assert.deepEqual(
    known.find(ECOSYSTEM, 'openssl').map(({ source, remark }) => `${source}: ${remark}`),
    Array.from({ length: 3 }, () => 'debian-changelog: named in the changelog of the update'),
  )
  assert.deepEqual(idsOf(known, 'sed'), ['CVE-2026-1000 [{"introduced":"0"},{"fixed":"4.9-2"}]'])
  assert.match(known.find(ECOSYSTEM, 'sed')[0]!.remark!, /point release/)
  assert.deepEqual(idsOf(known, 'grep'), [])
  // The mirror itself still answers as before, under another version.
  assert.equal(mirror.find(ECOSYSTEM, 'openssl')[0]!.source, 'debian-index')
  assert.notEqual(known.version, mirror.version)
})

test('no more than two thousand changelogs are kept', { skip }, async () => {
  await using made = await usual()
  await made.open()
  const changelogs = join(made.directory, 'changelogs')
  for (let index = 0; index < 2010; index++) writeFileSync(join(changelogs, String(index)), '')
  await made.open()
  assert.equal(readdirSync(changelogs).length, 2000)
})

test('after the security archive has failed nothing is fetched or kept any more', { skip }, async () => {
  await using made = await usual()
  made.files.delete('dists/bookworm-security/InRelease')
  const late: Fetcher = {
    async get(address, options) {
      if (address.includes('/bookworm/')) await sleep(500)
      options?.signal?.throwIfAborted()
      return fetcher.get(address, options)
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  await refused(made.open({ fetcher: late }), 'DOWNLOAD_FAILED', /has the security updates/)
  const state = () => [made.server.seen.length, readdirSync(made.directory)]
  const before = state()
  await sleep(1000)
  assert.deepEqual(state(), before)
})

test('changelogs are kept: no mirror is asked again, not even later', { skip }, async () => {
  await using made = await usual()
  const installed = [{ source: 'openssl', version: '3.0.1-1' }]
  const first = await (await made.open()).withChangelogs(installed)
  made.pass(1_000)
  const offline = await made.open({ fetcher: undefined })
  const again = await offline.withChangelogs(installed)
  assert.deepEqual(again.find(ECOSYSTEM, 'openssl'), first.find(ECOSYSTEM, 'openssl'))
  assert.equal(again.version, first.version)
})

test('a changelog that cannot be had is told, and its package keeps what was known', { skip }, async () => {
  await using made = await usual()
  made.files.delete('pool/main/libssl3_3.0.2-1_amd64.deb')
  made.files.set(
    'pool/main/sed_4.9-2_amd64.deb',
    await debWithChangelog('sed', 'sed', { '4.9-2': 'Fix CVE-2026-6666.' }),
  )
  const mirror = await made.open()
  const known = await mirror.withChangelogs([
    { source: 'openssl', version: '3.0.1-1' },
    { source: 'sed', version: '4.9-1' },
  ])
  assert.match(remarkOf(known), /2 changelogs could not be read, such as that of (?:openssl|sed): http/)
  assert.deepEqual(known.find(ECOSYSTEM, 'openssl'), mirror.find(ECOSYSTEM, 'openssl'))
  assert.deepEqual(known.find(ECOSYSTEM, 'sed'), [])
})

test('an image cannot make a scan fetch without end: the number of packages and their bytes are bounded', {
  skip,
}, async () => {
  await using made = await usual()
  const mirror = await made.open()
  const installed = ['openssl', 'sed', 'grep'].map((source) => ({ source, version: '0' }))
  for (const limits of [
    { packages: 1, bytes: 1 << 20 },
    { packages: 9, bytes: 700 },
  ]) {
    const asked = made.server.seen.length
    const known = await mirror.withChangelogs(installed, { limits })
    assert.ok(made.server.seen.length <= asked + 1)
    assert.equal(known.find(ECOSYSTEM, 'openssl')[0]!.source, 'debian-changelog')
    assert.match(
      remarkOf(known),
      /2 changelogs could not be read, such as that of grep: too many packages have updates/,
    )
  }
})

test('while it is young, what was kept is used without asking; later only the Release files are fetched', {
  skip,
}, async () => {
  await using made = await usual()
  await made.open()
  const first = made.server.seen.length
  made.pass(5)
  const young = await made.open()
  assert.equal(made.server.seen.length, first)
  assert.equal(young.find(ECOSYSTEM, 'openssl').length, 1)
  made.pass(2)
  await made.open()
  const asked = made.server.seen.slice(first).map(({ path }) => path)
  assert.deepEqual(asked.sort(), [
    '/dists/bookworm-security/InRelease',
    '/dists/bookworm-updates/InRelease',
    '/dists/bookworm/InRelease',
  ])
  made.pass(1)
  await made.open()
  assert.equal(made.server.seen.length, first + 3)
})

test('an update of the archive is seen once what was kept is old', { skip }, async () => {
  await using made = await usual()
  const before = await made.open()
  made.publish('bookworm-security', [{ name: 'zlib1g', source: 'zlib', version: '1:1.2.13.dfsg-1+deb12u1' }], {
    Date: 'Sun, 11 Jan 2026 10:00:00 UTC',
  })
  made.pass(7)
  const mirror = await made.open()
  assert.deepEqual(idsOf(mirror, 'zlib'), [
    'DEBIAN-UPDATE-zlib-1:1.2.13.dfsg-1+deb12u1 [{"introduced":"0"},{"fixed":"1:1.2.13.dfsg-1+deb12u1"}]',
  ])
  assert.notEqual(mirror.version, before.version)
})

test('while no mirror answers, what was kept is used, however old, and its age is told', { skip }, async () => {
  await using made = await usual()
  const online = await made.open()
  made.pass(24 * 30)
  const offline = await made.open({ fetcher: undefined })
  await made.server[Symbol.asyncDispose]()
  const unreachable = await made.open()
  for (const mirror of [offline, unreachable]) {
    assert.deepEqual(mirror.find(ECOSYSTEM, 'openssl'), online.find(ECOSYSTEM, 'openssl'))
    assert.match(remarkOf(mirror), /what was fetched of bookworm-security on 2026-01-12 was used: /)
    assert.equal(mirror.coverage(ECOSYSTEM)[0]!.asOf, '2026-01-10T10:00:00.000Z')
    assert.equal(mirror.version, online.version)
  }
  await refused(made.open({ directory: join(made.directory, 'empty') }), 'DOWNLOAD_FAILED', /127\.0\.0\.1|localhost/)
})

test('an index that was changed, or signed by another key, is refused', { skip }, async () => {
  await using made = await usual()
  await using stranger = await archiveKey('Somebody else')
  const path = 'dists/bookworm-security/InRelease'
  const signed = Buffer.from(made.files.get(path)!).toString()
  const text = releaseText({ path: 'bookworm-security' }, ['main'], [])
  const forged: [string, string | Buffer, RegExp][] = [
    ['a changed text', signed.replace('Version: 12', 'Version: 13'), /wrong signature/],
    ['another key', stranger.clearSign(text), /no key that this machine trusts/],
    ['text before the message', `Origin: Evil\n${signed}`, /not one signed text/],
    ['text after it', `${signed}\nOrigin: Evil\n`, /not one signed text/],
    ['two messages', `${signed}${signed}`, /not one signed text/],
    [
      'a hash that can be forged',
      key.clearSign(text, '--digest-algo', 'SHA1', '--allow-weak-digest-algos'),
      /hash that can be forged/,
    ],
    ['no signature', text, /not one signed text/],
    ['nothing', '', /not one signed text/],
  ]
  for (const [what, file, message] of forged) {
    made.files.set(path, Buffer.from(file))
    await refused(made.open({ directory: join(made.directory, what) }), 'UNTRUSTED', message)
  }
})

test('a wrong signature is refused also by one who takes unsigned indexes', { skip }, async () => {
  await using made = await usual()
  const path = 'dists/bookworm-security/InRelease'
  made.files.set(path, Buffer.from(Buffer.from(made.files.get(path)!).toString().replace('Version: 12', 'Version: 13')))
  await refused(made.open({ allowUnsigned: true }), 'UNTRUSTED', /wrong signature/)
})

test('an unsigned index is refused unless the caller allows it; then it is told, and kept for such callers alone', {
  skip,
}, async () => {
  await using made = await setting()
  publishSuite(made.files, { path: 'bookworm-security', packages: [{ name: 'zlib1g', source: 'zlib', version: '9' }] })
  await refused(made.open(), 'UNTRUSTED', /is not signed/)
  const mirror = await made.open({ allowUnsigned: true })
  assert.equal(mirror.find(ECOSYSTEM, 'zlib').length, 1)
  assert.match(remarkOf(mirror), /bookworm-security is not signed by a key of this machine: anyone could have made it/)
  await refused(made.open(), 'UNTRUSTED', /is not signed/)
  assert.match(remarkOf(await made.open({ allowUnsigned: true, fetcher: undefined })), /is not signed by a key/)
})

test('without gpgv or without keys nothing can be verified, which only a caller can allow', { skip }, async () => {
  await using made = await usual()
  await refused(made.open({ gpgv: '/nonexistent/gpgv' }), 'UNSUPPORTED_HOST', /gpgv is missing/)
  const sources = made.sources('deb [signed-by=/nonexistent.gpg] MIRROR trixie-security main')
  await refused(made.open({ sources }), 'UNTRUSTED', /keys that may sign it are not on this machine/)
  for (const options of [{ gpgv: '/nonexistent/gpgv' }, { sources }]) {
    const directory = join(made.directory, String(Object.keys(options)))
    const mirror = await made.open({ ...options, directory, allowUnsigned: true })
    assert.equal(mirror.find(ECOSYSTEM, 'openssl').length, 1)
    assert.match(remarkOf(mirror), /not signed by a key/)
  }
})

test('keys are found in armoured files, in the source itself, and among those of apt by fingerprint', {
  skip,
}, async () => {
  await using made = await usual()
  await using apt = await temporaryDirectory()
  const armoured = join(apt.path, 'key.asc')
  writeFileSync(armoured, key.armoured)
  const inside = key.armoured
    .split('\n')
    .map((line) => ` ${line === '' ? '.' : line}`)
    .join('\n')
  const keyPlaces = { aptDirectory: '/nonexistent', archiveKeyring: join(made.directory, '..', 'archive.gpg') }
  const signedBy = (value: string) =>
    parseAptSources([
      {
        name: 'a.sources',
        text: `Types: deb\nURIs: ${made.server.url}\nSuites: x-security\nComponents: main\n${value}`,
      },
    ])
  const good = [`Signed-By: ${armoured}`, `Signed-By:\n${inside}`, `Signed-By: ${key.fingerprint}`, '']
  for (const [index, value] of good.entries()) {
    const mirror = await made.open({ sources: signedBy(value), keyPlaces, directory: join(made.directory, `${index}`) })
    assert.equal(mirror.find(ECOSYSTEM, 'openssl').length, 1, value)
  }
  const sources = signedBy(`Signed-By: ${'A'.repeat(40)}`)
  await refused(made.open({ sources, keyPlaces }), 'UNTRUSTED', /no key that this machine trusts/)
})

test('an index that has ended is refused, unless the source or the caller takes it; the coverage says so', {
  skip,
}, async () => {
  await using made = await usual()
  made.publish('bookworm-security', [{ name: 'zlib1g', source: 'zlib', version: '9' }], {
    'Valid-Until': 'Sun, 11 Jan 2026 10:00:00 UTC',
  })
  await refused(made.open(), 'UNTRUSTED', /expired on 2026-01-11/)
  const sources = made.sources('deb [signed-by=KEYRING check-valid-until=no] MIRROR trixie-security main')
  for (const options of [{ allowExpired: true }, { sources }]) {
    const mirror = await made.open({ ...options, directory: join(made.directory, String(Object.keys(options))) })
    assert.equal(mirror.find(ECOSYSTEM, 'zlib').length, 1)
    assert.match(remarkOf(mirror), /bookworm-security expired on 2026-01-11/)
  }
  made.publish('bookworm-security', [], { 'Valid-Until': 'whenever' })
  await refused(made.open(), 'UNTRUSTED', /expired/)
})

test('a mirror cannot go back: what is older than what was kept is refused, and what was kept is used', {
  skip,
}, async () => {
  await using made = await usual()
  await made.open()
  made.publish('bookworm-security', [], { Date: 'Fri, 09 Jan 2026 10:00:00 UTC' })
  made.pass(7)
  const mirror = await made.open()
  assert.equal(mirror.find(ECOSYSTEM, 'openssl').length, 1)
  assert.match(
    remarkOf(mirror),
    /was used: .*InRelease is of 2026-01-09, older than what was known before, of 2026-01-10/,
  )
})

test('a mirror cannot pass off another suite or release that the same key has signed', { skip }, async () => {
  await using made = await usual()
  const cases: Record<string, [Record<string, string>, RegExp]> = {
    release: [
      { Codename: 'bullseye-security' },
      /is of Debian-Security bullseye-security, not of Debian-Security bookworm/,
    ],
    archive: [{ Label: 'Debian' }, /is of Debian bookworm-security, not of Debian-Security/],
    version: [{ Version: '11' }, /says that bookworm-security is version 11, but the image is of version 12/],
  }
  for (const [name, [fields, message]] of Object.entries(cases)) {
    made.publish('bookworm-security', [], fields)
    await refused(made.open({ directory: join(made.directory, name) }), 'UNTRUSTED', message)
  }
})

test('a list of packages with other bytes than the signed index announces is refused', { skip }, async () => {
  const wrong: [string, (bytes: Buffer) => Buffer, string][] = [
    ['other bytes', (bytes) => Buffer.from(bytes.map((byte) => byte ^ 1)), 'DIGEST_MISMATCH'],
    ['cut', (bytes) => bytes.subarray(0, -1), 'SIZE_MISMATCH'],
    ['too long', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]), 'SIZE_MISMATCH'],
  ]
  await using made = await usual()
  const path = 'dists/bookworm-security/main/binary-amd64/Packages.xz'
  const good = Buffer.from(made.files.get(path)!)
  for (const [what, change, code] of wrong) {
    made.files.set(path, change(good))
    await refused(
      made.open({ directory: join(made.directory, what) }),
      code,
      /Packages\.xz is not what the signed index announces/,
    )
  }
  made.files.delete(path)
  await refused(made.open(), 'DOWNLOAD_FAILED', /does not have the index that it lists/)
})

test('a list of packages that is signed but damaged or huge is refused', { skip }, async () => {
  const text = Buffer.from(packagesText([{ name: 'zlib1g', source: 'zlib', version: '9' }]))
  const list = 'main/binary-amd64/Packages'
  const cases: [string, { path: string; bytes: Uint8Array }[], string][] = [
    ['cut xz', [{ path: `${list}.xz`, bytes: xz(text).subarray(0, -9) }], 'INVALID_COMPRESSION'],
    ['cut gzip', [{ path: `${list}.gz`, bytes: gzipSync(text).subarray(0, -9) }], 'INVALID_COMPRESSION'],
    [
      'larger than listed',
      [
        { path: list, bytes: text.subarray(1) },
        { path: `${list}.xz`, bytes: xz(text) },
      ],
      'LIMIT_EXCEEDED',
    ],
    ['one endless package', [{ path: `${list}.gz`, bytes: gzipSync(Buffer.alloc(8 << 20, 'x')) }], 'LIMIT_EXCEEDED'],
    ['packages without end', [{ path: `${list}.gz`, bytes: gzipSync(Buffer.alloc(3 << 20, '\n')) }], 'LIMIT_EXCEEDED'],
  ]
  await using made = await setting()
  for (const [what, lists, code] of cases) {
    for (const { path, bytes } of lists) made.files.set(`dists/bookworm-security/${path}`, bytes)
    const release = releaseText({ path: 'bookworm-security' }, ['main'], lists)
    made.files.set('dists/bookworm-security/InRelease', key.clearSign(release))
    await refused(made.open({ directory: join(made.directory, what) }), code, /(?:)/)
  }
  const huge = releaseText({ path: 'bookworm-security' }, ['main'], []).concat(
    ` ${'a'.repeat(64)} 99999999999 ${list}.xz\n`,
  )
  made.files.set('dists/bookworm-security/InRelease', key.clearSign(huge))
  await refused(made.open(), 'LIMIT_EXCEEDED', /lists an index of 99999999999 bytes/)
})

test('indexes are found by digest, in gzip, and with a signature beside them; an older archive under its older name', {
  skip,
}, async () => {
  await using made = await setting()
  const packages = [{ name: 'zlib1g', source: 'zlib', version: '9' }]
  const fields = { Codename: 'bookworm', Label: 'Debian-Security', Version: '12', 'Acquire-By-Hash': 'yes' }
  publishSuite(made.files, { path: 'bookworm/updates', packages, fields }, { forms: ['gz'] })
  const directory = 'dists/bookworm/updates'
  const release = Buffer.from(made.files.get(`${directory}/Release`)!).toString()
  made.files.set(`${directory}/Release.gpg`, key.detachedSign(release))
  const list = `${directory}/main/binary-amd64/Packages.gz`
  const digest = /^ ([0-9a-f]{64}) \d+ main\/binary-amd64\/Packages\.gz$/m.exec(release)![1]
  made.files.set(`${directory}/main/binary-amd64/by-hash/SHA256/${digest}`, made.files.get(list)!)
  made.files.delete(list)
  assert.equal((await made.open()).find(ECOSYSTEM, 'zlib').length, 1)
  made.files.set(`${directory}/Release.gpg`, key.detachedSign(`${release} `))
  await refused(made.open({ directory: join(made.directory, 'other') }), 'UNTRUSTED', /Release has a wrong signature/)
})

test('components that the release does not have are passed over; an architecture that it does not have is an error', {
  skip,
}, async () => {
  await using made = await usual()
  const sources = made.sources('deb [signed-by=KEYRING] MIRROR trixie-security main non-free-firmware')
  const mirror = await made.open({ sources })
  assert.match(remarkOf(mirror), /^security updates of main; /)
  await refused(
    made.open({ architecture: 'riscv64' }),
    'DOWNLOAD_FAILED',
    /has no list of packages of main for riscv64/,
  )
})

test('archives of others are passed over for the next mirror; while what that said is young, none is asked', {
  skip,
}, async () => {
  await using made = await usual()
  publishSuite(made.files, { path: 'bookworm-security', packages: [], fields: { Origin: 'Docker' } }, { key })
  await using next = await usual()
  const sources = [
    ...made.sources('deb [signed-by=KEYRING] MIRROR trixie-security main'),
    ...next.sources('deb [signed-by=KEYRING] MIRROR trixie-security main'),
  ]
  assert.equal((await made.open({ sources })).find(ECOSYSTEM, 'openssl').length, 1)
  const asked = made.server.seen.length + next.server.seen.length
  assert.equal((await made.open({ sources })).find(ECOSYSTEM, 'openssl').length, 1)
  assert.equal(made.server.seen.length + next.server.seen.length, asked)
})

test('mirrors without a URL are refused by name; a machine without the security archive is told what it lacks', {
  skip,
}, async () => {
  await using made = await usual()
  const local = made.sources('deb file:/srv/debian trixie-security main\ndeb copy:/media/x trixie main')
  await refused(made.open({ sources: local }), 'UNSUPPORTED', /file:\/srv\/debian, copy:\/media\/x cannot be read/)
  const both = [...local, ...made.sources('deb [signed-by=KEYRING] MIRROR trixie-security main')]
  assert.match(remarkOf(await made.open({ sources: both })), /file:\/srv\/debian was not read: only http and https are/)
  const main = made.sources('deb [signed-by=KEYRING] MIRROR trixie main')
  await refused(made.open({ sources: main }), 'DOWNLOAD_FAILED', /no mirror .* has the security updates of bookworm/)
  await refused(made.open({ sources: [] }), 'DOWNLOAD_FAILED', /no mirror/)
})

test('a login in the URI of a mirror is in no message', { skip }, async () => {
  await using made = await usual()
  const secret = made.sources('deb [signed-by=/no] MIRROR trixie-security main').map((one) => ({
    ...one,
    uri: one.uri.replace('://', '://ann:hunter2@'),
  }))
  await assert.rejects(made.open({ sources: secret }), (error) => !/hunter2/.test(String(error)))
})

test('a kept index that was cut, or is of another version, is fetched again', { skip }, async () => {
  await using made = await usual()
  await made.open()
  for (const name of readdirSync(made.directory).filter((one) => one.endsWith('.index'))) {
    const text = readTextSync(join(made.directory, name))
    writeFileSync(join(made.directory, name), text.slice(0, -3))
  }
  assert.equal((await made.open()).find(ECOSYSTEM, 'openssl').length, 1)
  const nothing = { fetcher: undefined, directory: join(made.directory, 'x') }
  await refused(
    made.open(nothing),
    'DOWNLOAD_FAILED',
    /the security updates of bookworm have not been fetched yet, and mirrors are not asked/,
  )
})

test('an aborted opening and an aborted reading of changelogs end with the reason', { skip }, async () => {
  await using made = await usual()
  const mirror = await made.open()
  const signal = AbortSignal.abort(new Error('stopped'))
  made.pass(7)
  await assert.rejects(made.open({ signal }), /stopped/)
  await assert.rejects(mirror.withChangelogs([{ source: 'openssl', version: '0' }], { signal }), /stopped/)
})
