import { asError, BaleError, mapLimited, printable, withoutSecrets } from '#base'
import {
  type AptSource,
  type ArchiveKind,
  type AskedSuite,
  type MirrorPlace,
  mirrorPlaces,
  suitesOf,
} from '../sources/index.ts'
import { dayOf } from './fetch-release.ts'
import type { SourceIndex } from './index-file.ts'
import { type LoadedSuite, loadSuite, youngSuite } from './load-suite.ts'
import type { MirrorContext } from './mirror-context.ts'

/** The source packages that a release of Debian has. */
export interface Archives {
  readonly security: SourceIndex
  /** As it was published, with its point releases; undefined when no mirror has it. */
  readonly release: SourceIndex | undefined
  /** What comes between point releases. */
  readonly updates: SourceIndex | undefined
  /** What of it is missing, old or not signed, in words. */
  readonly remarks: readonly string[]
}

/**
 * Reads what the mirrors behind sources of apt have of a release. The security archive must be there; what else is
 * missing is told in remarks. Throws UNSUPPORTED when all sources are of a kind that is not read, and what went wrong
 * with the first mirror when none has the security archive.
 *
 * apt's own copies of the indexes (/var/lib/apt/lists) are not used: they are of the machine's release alone, as old
 * as the last `apt-get update`, and gone from most images that CI runs in.
 */
export async function loadArchives(sources: readonly AptSource[], context: MirrorContext): Promise<Archives> {
  const { places, refused } = readable(sources)
  const suites = suitesOf(context.codename)
  const loads = [
    (task: MirrorContext) => loadSecurity(places, suites.security, refused, task),
    (task: MirrorContext) => loadMain(places, suites.release, task),
    (task: MirrorContext) => loadMain(places, suites.updates, task),
  ]
  // Once one has failed the others end, and nothing is fetched or written any more.
  const { signal } = context
  const loaded = await mapLimited(loads, loads.length, (load, task) => load({ ...context, signal: task.signal }), {
    signal,
  })
  const [security, release, updates] = loaded as [LoadedSuite, Partial<LoadedSuite>, Partial<LoadedSuite>]
  return {
    security: security.index,
    release: release.index,
    updates: updates.index,
    remarks: [
      ...refused.map((uri) => `${uri} was not read: only http and https are`),
      ...[security, release, updates].flatMap((one) => remarksOn(one, context)),
    ],
  }
}

/** Local mirrors (`file:`, `copy:`), media and the rest have no URL that can be fetched. */
function readable(sources: readonly AptSource[]): { places: MirrorPlace[]; refused: string[] } {
  const isWeb = ({ uri }: { uri: string }) => /^https?:\/\//.test(uri)
  const places = mirrorPlaces(sources)
  const refused = places.filter((place) => !isWeb(place)).map(({ uri }) => printable(withoutSecrets(uri)))
  return { places: places.filter(isWeb), refused: [...new Set(refused)] }
}

async function loadSecurity(
  places: readonly MirrorPlace[],
  names: readonly AskedSuite[],
  refused: readonly string[],
  context: MirrorContext,
): Promise<LoadedSuite> {
  const loaded = await loadFirst(places, 'security', names, context)
  if (loaded) return loaded
  throw nothingFound(places, refused, context)
}

function nothingFound(
  places: readonly MirrorPlace[],
  refused: readonly string[],
  { codename, fetcher }: MirrorContext,
): BaleError {
  const hint = `apt needs a source such as: deb http://deb.debian.org/debian-security ${codename}-security main`
  if (places.length === 0 && refused.length > 0)
    return new BaleError('UNSUPPORTED', `${refused.join(', ')} cannot be read: only mirrors by http and https can`, {
      hint,
    })
  if (!fetcher)
    return new BaleError(
      'DOWNLOAD_FAILED',
      `the security updates of ${codename} have not been fetched yet, and mirrors are not asked`,
    )
  const what = `no mirror that apt is configured with has the security updates of ${codename}`
  return new BaleError('DOWNLOAD_FAILED', what, { hint })
}

async function loadMain(
  places: readonly MirrorPlace[],
  names: readonly AskedSuite[],
  context: MirrorContext,
): Promise<Partial<LoadedSuite>> {
  const missing = `${names[0]!.path} is missing, so updates that are not in the security archive are unknown`
  try {
    return (await loadFirst(places, 'main', names, context)) ?? { remark: missing }
  } catch (error) {
    context.signal?.throwIfAborted()
    return { remark: `${missing}: ${asError(error).message}` }
  }
}

/**
 * From the first place that has it. Places of others are asked in vain, so first it is seen whether any of them was
 * asked a short time ago. Undefined when none has the suite; throws the first failure when none has it and one
 * failed.
 */
async function loadFirst(
  places: readonly MirrorPlace[],
  kind: ArchiveKind,
  names: readonly AskedSuite[],
  context: MirrorContext,
): Promise<LoadedSuite | undefined> {
  const candidates = places.filter((one) => one.kind === kind)
  for (const place of candidates) {
    const young = await youngSuite(place, names, context)
    if (young) return young
  }
  const failures: unknown[] = []
  for (const place of candidates) {
    try {
      const loaded = await loadSuite(place, names, context)
      if (loaded) return loaded
    } catch (error) {
      context.signal?.throwIfAborted()
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return undefined
}

function remarksOn({ index, remark }: Partial<LoadedSuite>, { clock }: MirrorContext): string[] {
  const { suite, signedBy, validUntil = Number.POSITIVE_INFINITY } = index?.origin ?? {}
  return [
    ...(remark === undefined ? [] : [remark]),
    ...(index && !signedBy ? [`${suite} is not signed by a key of this machine: anyone could have made it`] : []),
    ...(validUntil < clock.now() ? [`${suite} expired on ${dayOf(validUntil)}`] : []),
  ]
}
