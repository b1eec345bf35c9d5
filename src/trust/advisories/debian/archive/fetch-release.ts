import { BaleError, printable, withoutSecrets } from '#base'
import type { Fetcher } from '#transport'
import type { AskedSuite, MirrorPlace } from '../sources/index.ts'
import { fetchFile } from './fetch-file.ts'
import { findKeys } from './keyrings.ts'
import type { MirrorContext } from './mirror-context.ts'
import { parseRelease, type Release } from './release.ts'
import { type SignedRelease, verifyRelease } from './verify-release.ts'

/** The Release file of a suite, verified. */
export interface FetchedRelease {
  readonly release: Release
  /** URL of the suite. */
  readonly url: string
  readonly signedBy?: string
}

/** Bytes of a Release file; that of unstable has 200 kB. */
const LIMIT = 8 << 20
/** Milliseconds for a Release file, which comes at once or not at all. */
const PATIENCE = 20_000

/**
 * Fetches what a mirror says of a suite, under the first of its names that is there; undefined when none is, or when
 * it is the archive of somebody else than Debian. Throws UNTRUSTED for what is not signed, is another suite, has
 * ended, or is older than `notBefore` (milliseconds since 1970).
 */
export async function fetchRelease(
  place: MirrorPlace,
  names: readonly AskedSuite[],
  { notBefore, ...context }: MirrorContext & { fetcher: Fetcher; notBefore: number },
): Promise<FetchedRelease | undefined> {
  for (const asked of names) {
    const url = `${place.uri}/dists/${asked.path}`
    const signed = await fetchSigned(url, context)
    if (!signed) continue
    const { text, signedBy } = await verifyRelease(signed, {
      ...context,
      keys: await findKeys(place.signedBy, context.keyPlaces),
    })
    const release = parseRelease(text, shown(signed.url))
    if (release.origin !== 'Debian') continue
    checkIdentity(release, asked, signed.url, context.version)
    checkTimes(release, place, signed.url, { ...context, notBefore })
    return { release, url, signedBy }
  }
  return undefined
}

async function fetchSigned(
  url: string,
  { fetcher, signal }: MirrorContext & { fetcher: Fetcher },
): Promise<SignedRelease | undefined> {
  const get = (name: string) => fetchFile(`${url}/${name}`, { fetcher, signal, limit: LIMIT, timeout: PATIENCE })
  const inline = await get('InRelease')
  if (inline) return { url: `${url}/InRelease`, file: inline, signature: 'inline' }
  const file = await get('Release')
  return file && { url: `${url}/Release`, file, signature: await get('Release.gpg') }
}

/** A mirror can answer with what the same keys have signed for another suite. */
function checkIdentity({ label, codename, version }: Release, asked: AskedSuite, url: string, expected: string): void {
  if (codename !== asked.codename || label !== asked.label)
    throw untrusted(url, `is of ${label} ${codename}, not of ${asked.label} ${asked.codename}`)
  if (version !== undefined && version.split(/[.-]/, 1)[0] !== expected)
    throw untrusted(url, `says that ${codename} is version ${version}, but the image is of version ${expected}`)
}

function checkTimes(
  { date, validUntil = Number.POSITIVE_INFINITY }: Release,
  { checkValidUntil }: MirrorPlace,
  url: string,
  { notBefore, clock, allowExpired }: MirrorContext & { notBefore: number },
): void {
  if (date < notBefore)
    throw untrusted(url, `is of ${dayOf(date)}, older than what was known before, of ${dayOf(notBefore)}`)
  if (validUntil < clock.now() && checkValidUntil && !allowExpired)
    throw untrusted(url, `expired on ${dayOf(validUntil)}`, 'the mirror is not kept up to date, or withholds updates')
}

/** YYYY-MM-DD */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

function untrusted(url: string, what: string, hint?: string): BaleError {
  return new BaleError('UNTRUSTED', `${shown(url)} ${what}`, { hint })
}

function shown(url: string): string {
  return printable(withoutSecrets(url))
}
