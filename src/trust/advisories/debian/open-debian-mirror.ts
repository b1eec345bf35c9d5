import { join } from 'node:path'
import { type Clock, systemClock } from '#base'
import { makeDirectory, removeOldest } from '#host/file'
import type { Fetcher } from '#transport'
import type { Advisories } from '../advisory.ts'
import { defaultKeyPlaces, GPGV, type KeyPlaces, loadArchives, type MirrorContext } from './archive/index.ts'
import {
  CHANGELOGS,
  type ChangelogOptions,
  type InstalledSource,
  type ReadChangelogs,
  readChangelogs,
} from './changelog/index.ts'
import { mirrorAdvisories } from './mirror-advisories.ts'
import type { DebianRelease } from './releases/index.ts'
import type { AptSource } from './sources/index.ts'

export interface DebianMirrorOptions extends DebianRelease {
  /** What apt is configured with. */
  readonly sources: readonly AptSource[]
  /** Of the image, as Debian calls it: `amd64`, `arm64`, `armhf`. */
  readonly architecture: string
  /** Undefined: no mirror is asked, and what was kept is used, however old. */
  readonly fetcher: Fetcher | undefined
  /** Where what was fetched is kept; made when missing. Whoever can write there decides what is known. */
  readonly directory: string
  readonly clock?: Clock
  /** Milliseconds for which what was kept is used without asking a mirror; six hours by default. */
  readonly maximumAge?: number
  /** Take indexes that cannot be verified because gpgv, keys or signatures are missing; coverage says so. */
  readonly allowUnsigned?: boolean
  /** Take indexes after the end that they give themselves; coverage says so. */
  readonly allowExpired?: boolean
  readonly keyPlaces?: KeyPlaces
  /** Path of the program. */
  readonly gpgv?: string
  readonly signal?: AbortSignal
}

/** What mirrors of Debian say of one release. By itself it knows which packages have updates, but no CVE ids. */
export interface DebianMirror extends Advisories {
  /** `Debian:12` */
  readonly ecosystem: string
  /**
   * The same with the CVE ids that changelogs name, for the installed packages that have an update. Changelogs that
   * cannot be read are told in the coverage, and their packages keep what was known without.
   */
  withChangelogs(installed: Iterable<InstalledSource>, options?: ChangelogOptions): Promise<Advisories>
}

const SIX_HOURS = 6 * 3_600_000
/** Changelogs of earlier times: twice as many as one image can ask for. */
const CHANGELOGS_KEPT = 2000

/**
 * Reads what the mirrors behind sources of apt say of a release of Debian, or takes what was kept. Throws UNTRUSTED
 * for indexes that nobody has signed, that have ended or are older than what was kept; DOWNLOAD_FAILED when no mirror
 * answers and nothing was kept; UNSUPPORTED for mirrors without a URL; UNSUPPORTED_HOST without gpgv.
 */
export async function openDebianMirror(options: DebianMirrorOptions): Promise<DebianMirror> {
  const context = contextOf(options)
  const changelogs = join(options.directory, CHANGELOGS)
  makeDirectory(changelogs)
  await removeOldest(changelogs, CHANGELOGS_KEPT)
  const archives = await loadArchives(options.sources, context)
  const ecosystem = `Debian:${options.version}`
  const advise = (read?: ReadChangelogs) => mirrorAdvisories({ ecosystem, archives, changelogs: read })
  return {
    ...advise(),
    ecosystem,
    withChangelogs: async (installed, chosen = {}) =>
      advise(await readChangelogs(archives, installed, context, chosen)),
  }
}

/** What is given as undefined has its default, too. */
function contextOf({
  clock = systemClock,
  maximumAge = SIX_HOURS,
  allowUnsigned = false,
  allowExpired = false,
  keyPlaces = defaultKeyPlaces,
  gpgv = GPGV,
  signal,
  ...options
}: DebianMirrorOptions): MirrorContext {
  return { ...options, clock, maximumAge, allowUnsigned, allowExpired, keyPlaces, gpgv, signal }
}
