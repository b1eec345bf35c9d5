import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isBaleError, systemClock } from '#base'
import { readTextSync } from '#host/file'
import { createFetcher, type Fetcher } from '#transport'
import { compareVersions, inRange } from '#trust/versions'
import { temporaryDirectory } from '../../../../test/kit/temporary.ts'
import type { Advisories } from '../advisory.ts'
import { type DebianMirror, openDebianMirror } from './open-debian-mirror.ts'
import { debianRelease } from './releases/index.ts'
import { type AptSource, parseControl, readAptSources } from './sources/index.ts'

interface Installed {
  name: string
  source: string
  version: string
}

function installedPackages(): Installed[] {
  return parseControl(readTextSync('/var/lib/dpkg/status'))
    .filter((fields) => fields.get('status')?.endsWith(' installed'))
    .map((fields) => {
      const [source = fields.get('package')!, version = fields.get('version')!] = (fields.get('source') ?? '')
        .split(' ')
        .filter(Boolean)
      return { name: fields.get('package')!, source, version: version.replace(/[()]/g, '') }
    })
}

/** Names of packages that apt would upgrade if the security archive were its only source. */
function upgradableByApt(sources: readonly AptSource[], codename: string, directory: string): Set<string> {
  const security = sources.filter(({ suite }) => suite.endsWith('-security'))
  const lines = security.map(({ uri, components, signedBy }) => {
    const keys = signedBy && signedBy.files.length > 0 ? `[signed-by=${signedBy.files.join()}] ` : ''
    return `deb ${keys}${uri} ${codename}-security ${components.join(' ')}\n`
  })
  for (const name of ['lists', 'lists/partial', 'cache', 'cache/archives', 'cache/archives/partial'])
    mkdirSync(join(directory, name))
  writeFileSync(join(directory, 'sources.list'), lines.join(''))
  const options = {
    'Dir::State::lists': join(directory, 'lists'),
    'Dir::Cache': join(directory, 'cache'),
    'Dir::Etc::sourcelist': join(directory, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'APT::Sandbox::User': 'root',
  }
  const given = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const update = spawnSync('apt-get', [...given, 'update'], { encoding: 'utf8' })
  assert.equal(update.status, 0, update.stderr)
  const list = spawnSync('apt', [...given, 'list', '--upgradable'], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  return new Set(
    list.stdout
      .split('\n')
      .filter((line) => line.includes('/'))
      .map((line) => line.split('/')[0]!),
  )
}

function isAffected(advisories: Advisories, ecosystem: string, { source, version }: Installed): boolean {
  const compare = (a: string, b: string) => compareVersions('deb', a, b)
  return advisories
    .find(ecosystem, source)
    .some(({ ranges }) => ranges.some(({ events }) => inRange(compare, version, events) === 'affected'))
}

/** Undefined, with the reason told, where this machine is not Debian, or does not reach its mirror. */
async function openReal(
  context: TestContext,
  fetcher: Fetcher,
  directory: string,
): Promise<{ mirror: DebianMirror; sources: AptSource[]; codename: string } | undefined> {
  const version = /^VERSION_ID="?(\d+)"?$/m.exec(readTextSync('/etc/os-release'))?.[1]
  const release = /^ID=debian$/m.test(readTextSync('/etc/os-release')) && debianRelease({ id: 'debian', version })
  if (!release) return void context.skip('this machine is not Debian')
  const sources = await readAptSources()
  const [architecture = ''] = spawnSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).stdout.split('\n')
  try {
    // Machines that stay at one day of the archive let apt take indexes that have ended.
    const mirror = await openDebianMirror({
      ...release,
      sources,
      architecture,
      fetcher,
      directory,
      clock: systemClock,
      allowExpired: true,
    })
    return { mirror, sources, codename: release.codename }
  } catch (error) {
    if (!isBaleError(error, 'DOWNLOAD_FAILED') && !isBaleError(error, 'UNSUPPORTED_HOST')) throw error
    return void context.skip(`this machine's mirror of Debian cannot be read: ${error.message}`)
  }
}

test('the packages of this machine that have a security update are those that apt finds', async (context) => {
  await using directory = await temporaryDirectory()
  await using fetcher = createFetcher({})
  const real = await openReal(context, fetcher, join(directory.path, 'kept'))
  if (!real) return
  const { mirror, sources, codename } = real
  const installed = installedPackages()
  const byApt = upgradableByApt(sources, codename, directory.path)
  const sourcesOf = (list: readonly Installed[]) => [...new Set(list.map(({ source }) => source))].sort()
  const expected = sourcesOf(installed.filter(({ name }) => byApt.has(name)))
  const found = sourcesOf(installed.filter((one) => isAffected(mirror, mirror.ecosystem, one)))
  assert.deepEqual(found, expected)
  context.diagnostic(`${found.length} of ${sourcesOf(installed).length} source packages have a security update`)

  const known = await mirror.withChangelogs([{ source: 'openssl', version: '0' }])
  const ids = known.find(mirror.ecosystem, 'openssl').map(({ id }) => id)
  assert.ok(ids.filter((id) => /^CVE-\d{4}-\d{4,}$/.test(id)).length >= 10, `ids of openssl: ${ids.join(' ')}`)
  assert.ok(mirror.isForeign?.(mirror.ecosystem, 'no-such-source') && !mirror.isForeign(mirror.ecosystem, 'bash'))
})
