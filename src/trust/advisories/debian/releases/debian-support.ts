import { join } from 'node:path'
import { namesIn, readTextIfThere } from '#host/file'
import type { OperatingSystem } from '#trust/inventory'
import type { SupportStatus } from '../../advisory.ts'
import { releaseEnds } from './release-ends.ts'

/** Where packages of Debian keep their data. */
const DATA_DIRECTORY = '/usr/share'

/** Bytes of a list. */
const LIMIT = 1 << 20

/**
 * Until when a release of Debian or Ubuntu has updates, from this machine's `distro-info-data`, and which source
 * packages of Debian have none or few, from its `debian-security-support`. Undefined when neither is installed or
 * knows the release.
 */
export async function readDebianSupport(
  { id, version = '' }: OperatingSystem,
  directory = DATA_DIRECTORY,
): Promise<SupportStatus | undefined> {
  if ((id !== 'debian' && id !== 'ubuntu') || !/^\d/.test(version)) return undefined
  const release = id === 'debian' ? version.split('.', 1)[0]! : version
  const ends = releaseEnds((await readList(join(directory, 'distro-info', `${id}.csv`))) ?? '', release)
  const unsupported =
    id === 'debian' ? await readUnsupported(join(directory, 'debian-security-support'), release) : undefined
  if (!ends && !unsupported) return undefined
  const { name = release, ...dates } = ends ?? {}
  return {
    ecosystem: `${id === 'debian' ? 'Debian' : 'Ubuntu'}:${name}`,
    ...dates,
    ...(unsupported && { unsupported }),
  }
}

/** A name that ends with `.*` stands for all that begin so: `get` finds the reason of each. */
class Unsupported extends Map<string, string> {
  override get(source: string): string | undefined {
    return super.get(source) ?? super.get(this.#patternOf(source) ?? '')
  }

  override has(source: string): boolean {
    return this.get(source) !== undefined
  }

  #patternOf(source: string): string | undefined {
    return [...this.keys()].find((name) => name.endsWith('.*') && source.startsWith(name.slice(0, -2)))
  }
}

/** Undefined when the package is not installed, or is too old to know the release. Source: check-support-status(1). */
async function readUnsupported(directory: string, release: string): Promise<ReadonlyMap<string, string> | undefined> {
  const known = (await namesIn(directory)).flatMap(
    (name) => /^security-support-ended\.deb(\d{1,3})$/.exec(name)?.[1] ?? [],
  )
  if (!known.includes(release)) return undefined
  const ended = await readList(join(directory, `security-support-ended.deb${release}`))
  const limited = await readLimited(directory, release, known)
  return new Unsupported([...entriesOf(limited, 2).map(limitedEntry), ...entriesOf(ended, 4).map(endedEntry)])
}

/** The list without a number is about the newest release that the package knows. */
async function readLimited(directory: string, release: string, known: readonly string[]): Promise<string | undefined> {
  const list = join(directory, 'security-support-limited')
  const own = await readList(`${list}.deb${release}`)
  return own ?? (Number(release) === Math.max(...known.map(Number)) ? readList(list) : undefined)
}

/** The columns of each line; the last one has all that is left. */
function entriesOf(list: string | undefined, columns: number): string[][] {
  const lines = (list ?? '').split('\n').map((line) => line.trim())
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const words = line.split(/\s+/)
      return [...words.slice(0, columns - 1), words.slice(columns - 1).join(' ')]
    })
}

function endedEntry([name = '', version, date, reason]: readonly string[]): [string, string] {
  return [name, withReason(`security support of ${version} ended on ${date}`, reason)]
}

function limitedEntry([name = '', reason]: readonly string[]): [string, string] {
  return [name, withReason('limited security support', reason)]
}

function withReason(what: string, reason: string | undefined): string {
  return reason ? `${what}: ${reason}` : what
}

function readList(path: string): Promise<string | undefined> {
  return readTextIfThere(path, { limit: LIMIT })
}
