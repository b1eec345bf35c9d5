import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { asError, BaleError, errnoOf } from '#base'
import { readBytes, writeFileAtomic } from '#host/file'
import type { Fetcher } from '#transport'
import type { AskedSuite, MirrorPlace } from '../sources/index.ts'
import { fetchPackages, type ListedIndex, listedIndexes } from './fetch-packages.ts'
import { dayOf, type FetchedRelease, fetchRelease } from './fetch-release.ts'
import { createIndex, decodeIndex, type IndexOrigin, type SourceIndex } from './index-file.ts'
import type { MirrorContext } from './mirror-context.ts'
import type { SourceRecords } from './packages-index.ts'

/** A suite of an archive, and why it is perhaps not what a mirror has now. */
export interface LoadedSuite {
  readonly index: SourceIndex
  readonly remark?: string
}

/** What was kept of a suite while it is young: no mirror needs to be asked. */
export async function youngSuite(
  place: MirrorPlace,
  names: readonly AskedSuite[],
  context: MirrorContext,
): Promise<LoadedSuite | undefined> {
  const kept = await readKept(keptPath(place, names, context), context)
  return kept && isYoung(kept.origin, context) ? { index: kept } : undefined
}

/**
 * What a mirror says of a suite, or what was kept when that fails. Undefined when the mirror does not have the suite.
 * The first of `names` is its present one. Throws when nothing was kept.
 */
export async function loadSuite(
  place: MirrorPlace,
  names: readonly AskedSuite[],
  context: MirrorContext,
): Promise<LoadedSuite | undefined> {
  const path = keptPath(place, names, context)
  const kept = await readKept(path, context)
  const { fetcher } = context
  if (!fetcher) return kept && asKept(kept, 'no mirror is asked')
  try {
    const index = await update(place, names, kept, { ...context, fetcher })
    if (index) await writeFileAtomic(path, index.encode())
    return index && { index }
  } catch (error) {
    context.signal?.throwIfAborted()
    if (!kept) throw error
    return asKept(kept, asError(error).message)
  }
}

function asKept(index: SourceIndex, reason: string): LoadedSuite {
  const { suite, fetched } = index.origin
  return { index, remark: `what was fetched of ${suite} on ${dayOf(fetched)} was used: ${reason}` }
}

function isYoung({ fetched }: IndexOrigin, { clock, maximumAge }: MirrorContext): boolean {
  const age = clock.now() - fetched
  return age >= 0 && age < maximumAge
}

/** An index that is kept by the digests of its files is not fetched again. */
async function update(
  place: MirrorPlace,
  names: readonly AskedSuite[],
  kept: SourceIndex | undefined,
  context: MirrorContext & { fetcher: Fetcher },
): Promise<SourceIndex | undefined> {
  const found = await fetchRelease(place, names, { ...context, notBefore: kept?.origin.date ?? 0 })
  if (!found) return undefined
  const indexes = listedIndexes(found, place.components, context.architecture)
  const origin = originOf(place, found, indexes, context)
  if (kept && kept.origin.files.join() === origin.files.join()) return kept.withOrigin(origin)
  const records: SourceRecords = new Map()
  for (const index of indexes) await fetchPackages(index, found, records, context)
  return createIndex(origin, records)
}

function originOf(
  { uri }: MirrorPlace,
  { release, signedBy }: FetchedRelease,
  indexes: readonly ListedIndex[],
  { clock }: MirrorContext,
): IndexOrigin {
  const { codename: suite, date, validUntil } = release
  const components = indexes.map(({ component }) => component)
  const files = indexes.map(({ digest }) => digest).sort()
  return { uri, suite, components, date, validUntil, fetched: clock.now(), signedBy, files }
}

/** An unsigned index is ignored unless unsigned ones are allowed. */
async function readKept(path: string, { allowUnsigned }: MirrorContext): Promise<SourceIndex | undefined> {
  try {
    const index = decodeIndex(await readBytes(path, { limit: LIMIT }))
    return index?.origin.signedBy !== undefined || allowUnsigned ? index : undefined
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof BaleError) return undefined
    throw error
  }
}

/** An index of all of Debian has 12 MB. */
const LIMIT = 128 << 20

function keptPath(
  { uri, components }: MirrorPlace,
  [first]: readonly AskedSuite[],
  { architecture, directory }: MirrorContext,
): string {
  const key = JSON.stringify([uri, first?.path, components, architecture])
  return join(directory, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.index`)
}
