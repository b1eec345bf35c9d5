import { asError, mapLimited } from '#base'
import { type Archives, isNewer, type MirrorContext, type NewestVersion, newestVersion } from '../archive/index.ts'
import type { ChangelogEntry } from './changelog.ts'
import { sourceChangelog } from './source-changelogs.ts'

/** A source package of which something is installed. */
export interface InstalledSource {
  readonly source: string
  readonly version: string
}

export interface ChangelogOptions {
  /**
   * Most packages that are fetched, and their bytes together, so that an image cannot make one fetch a whole archive.
   */
  readonly limits?: { readonly packages: number; readonly bytes: number }
  readonly signal?: AbortSignal
}

/** Changelogs by source package, and why some are missing. */
export interface ReadChangelogs {
  /** The entries that some installed version is below, newest first. */
  readonly entries: ReadonlyMap<string, readonly ChangelogEntry[]>
  readonly unread: ReadonlyMap<string, string>
}

/** Changelogs that are fetched at once. */
const CONCURRENCY = 4
/** Security updates of an image of the first day of a release: some 300 packages with 200 MB. */
const LIMITS = { packages: 1_000, bytes: 512 << 20 }

/** Reads the changelogs of installed source packages that have an update. Throws only when it is aborted. */
export async function readChangelogs(
  archives: Archives,
  installed: Iterable<InstalledSource>,
  context: MirrorContext,
  { limits = LIMITS, signal }: ChangelogOptions,
): Promise<ReadChangelogs> {
  const outdated = outdatedSources(archives, installed)
  const { within, beyond } = bounded(outdated, limits)
  const entries = new Map<string, readonly ChangelogEntry[]>()
  const unread = new Map(beyond.map(({ source }) => [source, 'too many packages have updates']))
  await mapLimited(
    within,
    CONCURRENCY,
    async ({ source, lowest, newest }, task) => {
      try {
        const read = await sourceChangelog({ source, ...newest }, { ...context, signal: task.signal })
        entries.set(
          source,
          read.filter(({ version }) => isNewer(version, lowest)),
        )
      } catch (error) {
        task.signal.throwIfAborted()
        unread.set(source, asError(error).message)
      }
    },
    { signal },
  )
  return { entries, unread }
}

interface Outdated {
  readonly source: string
  /** Of the installed versions. */
  readonly lowest: string
  readonly newest: NewestVersion
  readonly isSecurity: boolean
}

/** Those with a security update first. */
function outdatedSources(archives: Archives, installed: Iterable<InstalledSource>): Outdated[] {
  const lowest = new Map<string, string>()
  for (const { source, version } of installed) {
    const known = lowest.get(source)
    if (known === undefined || isNewer(known, version)) lowest.set(source, version)
  }
  const outdated = [...lowest].flatMap(([source, version]): Outdated[] => {
    const newest = newestVersion(archives, source)
    if (!newest || !isNewer(newest.version, version)) return []
    const security = archives.security.get(source)
    const isSecurity = security !== undefined && isNewer(security.version, version)
    return [{ source, lowest: version, newest, isSecurity }]
  })
  return outdated.sort((a, b) => Number(b.isSecurity) - Number(a.isSecurity) || (a.source < b.source ? -1 : 1))
}

function bounded(
  outdated: readonly Outdated[],
  { packages, bytes }: { packages: number; bytes: number },
): { within: readonly Outdated[]; beyond: readonly Outdated[] } {
  let size = 0
  const end = outdated.findIndex(({ newest }, index) => {
    size += newest.debs[0]?.size ?? 0
    return index >= packages || size > bytes
  })
  return end < 0 ? { within: outdated, beyond: [] } : { within: outdated.slice(0, end), beyond: outdated.slice(end) }
}
