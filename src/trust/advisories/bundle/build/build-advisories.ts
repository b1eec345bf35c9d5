import { join, resolve } from 'node:path'
import {
  asError,
  BaleError,
  type Clock,
  errnoOf,
  isBaleError,
  isUrl,
  mapLimited,
  type OperationOptions,
  printable,
  systemClock,
} from '#base'
import { acquireLock, makeDirectory, withNoSpace } from '#host/file'
import type { Fetcher } from '#transport'
import { createTally, type Tally } from '../../adapters/index.ts'
import type { BundleInfo, SourceInfo } from '../file/bundle-info.ts'
import { type BundleWriter, startBundle } from '../file/start-bundle.ts'
import type { AdvisoryPlace } from './advisory-place.ts'
import { asFailure, type Refreshed, refreshCopy } from './cached-copy.ts'
import { type Facts, isFacts, placeKnows, readFacts, readPlace, timeOfFile } from './read-place.ts'

/** What a bundle is built of, and where. */
interface BuildOptions extends OperationOptions {
  readonly from: readonly AdvisoryPlace[]
  /** The bundle's file; one that is there is replaced once the new one is complete. */
  readonly path: string
  /** A directory for copies of what was downloaded; made when it is missing. Another build that uses it is waited for. */
  readonly cache: string
  readonly fetcher: Fetcher
  readonly clock?: Clock
}

/** What became of a place. */
interface BuiltPlace {
  readonly place: AdvisoryPlace
  /** `old`: an earlier copy, since the place could not be read. `failed`: nothing of it is in the bundle. */
  readonly state: 'new' | 'unchanged' | 'old' | 'failed'
  /** Why it is old or failed. */
  readonly reason?: string
  readonly records: number
  /** Malformed records that were left out, and what was wrong with some of them. */
  readonly skipped: number
  readonly examples: readonly string[]
}

/** A bundle that was built, and what became of each place. */
export interface BuiltAdvisories {
  readonly info: BundleInfo
  /** In the order of `from`. */
  readonly places: readonly BuiltPlace[]
}

/** Downloads at the same time: most are small, and all come from a few hosts. */
const DOWNLOADS = 4
const DOWNLOAD_LIMIT = 8 * 2 ** 30

/**
 * Builds a bundle from places: what has changed is downloaded, in parts where a download was cut, and read. A place that fails is
 * named, with a warning, and leaves the rest; if there is an earlier copy of it that is used, and said to be old. Throws
 * DOWNLOAD_FAILED when no place gives advisories; what was at `path` then stays.
 */
export async function buildAdvisories(options: BuildOptions): Promise<BuiltAdvisories> {
  const { from, path, cache, signal, progress, clock = systemClock } = options
  checkPlaces(from)
  makeDirectory(cache)
  const what = `the cache ${cache}, which another build of advisories uses`
  await using _lock = await acquireLock(join(cache, 'lock'), { signal, progress, what })
  const found = await mapLimited(from, DOWNLOADS, (place, { signal }) => find(place, { ...options, clock, signal }), {
    signal,
  })
  await using writer = await startBundle(resolve(path), { created: new Date(clock.now()).toISOString() })
  const facts: Facts = { exploited: new Set(), probabilities: new Map() }
  const sources: SourceInfo[] = []
  const places: BuiltPlace[] = []
  for (const [index, place] of from.entries()) {
    const taken = await takePlace(place, found[index]!, { ...options, writer, facts, sources })
    options.progress?.({ ...step(place), state: STEPS[taken.state] })
    if (taken.reason !== undefined) options.progress?.({ kind: 'warning', text: warningOf(taken) })
    places.push(taken)
  }
  checkSome(places)
  const overlays = { exploited: facts.exploited, probabilities: facts.probabilities, sources }
  return { info: await writer.finish({ overlays }), places }
}

const STEPS = { new: 'done', unchanged: 'cached', old: 'done', failed: 'failed' } as const

function step(place: AdvisoryPlace) {
  const { kind, address, ecosystem } = place
  return { kind: 'step' as const, id: address, name: `${kind} ${ecosystem ?? printable(address)}` }
}

async function find(place: AdvisoryPlace, options: BuildOptions & { clock: Clock }): Promise<Refreshed> {
  const { cache, fetcher, clock, signal, progress } = options
  progress?.({ ...step(place), state: 'start' })
  if (isUrl(place.address))
    return refreshCopy(place.address, { cache, fetcher, clock, limit: DOWNLOAD_LIMIT, signal, progress })
  try {
    return { former: { path: place.address, at: await timeOfFile(place.address) }, unchanged: true }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    const { message } = asError(error)
    return { unchanged: false, failure: new BaleError('PATH_NOT_FOUND', message, { cause: error }) }
  }
}

interface Taking extends BuildOptions {
  readonly writer: BundleWriter
  readonly facts: Facts
  /** Of facts. */
  readonly sources: SourceInfo[]
}

/** The fresh copy, or if that is of no use the former one. What the disk or this program fails at says nothing against a copy. */
async function takePlace(place: AdvisoryPlace, found: Refreshed, taking: Taking): Promise<BuiltPlace> {
  const { fresh, former, unchanged } = found
  let { failure } = found
  let tally = createTally()
  for (const copy of [fresh, former]) {
    if (!copy) continue
    tally = createTally()
    const isOld = copy === former && !unchanged
    const reason = isOld ? reasonOf(failure) : undefined
    try {
      await takeCopy(place, copy, tally, taking, reason)
    } catch (error) {
      taking.signal?.throwIfAborted()
      const failed = asFailure(error)
      failure ??= failed
      if (isBaleError(error)) await copy.drop?.()
      continue
    }
    if (copy === fresh) await withNoSpace(taking.cache, fresh.keep)
    return built(place, isOld ? 'old' : unchanged ? 'unchanged' : 'new', tally, reason)
  }
  return built(place, 'failed', tally, reasonOf(failure))
}

async function takeCopy(
  place: AdvisoryPlace,
  { path, at }: { path: string; at: string },
  tally: Tally,
  { writer, facts, sources, signal }: Taking,
  reason?: string,
): Promise<void> {
  const { kind, address, licence } = place
  const remark = reason === undefined ? {} : { remark: `an old copy, since the source could not be read: ${reason}` }
  const common = { kind, address, ...(licence && { licence }), asOf: at, ...remark }
  if (isFacts(place)) {
    await readFacts(place, path, { tally, signal }, facts)
    sources.push({ ...common, records: tally.records, skipped: tally.skipped })
  } else {
    const knows = (ecosystem: string) => placeKnows(place, ecosystem)
    await writer.add({ ...common, advisories: readPlace(place, path, { tally, signal }), knows, tally })
  }
}

function built(place: AdvisoryPlace, state: BuiltPlace['state'], tally: Tally, reason?: string): BuiltPlace {
  const { records, skipped, reasons } = tally
  return { place, state, ...(reason !== undefined && { reason }), records, skipped, examples: [...reasons] }
}

function reasonOf(failure: BaleError | undefined): string {
  return printable(failure?.message ?? '', 300)
}

function warningOf({ place, state, reason }: BuiltPlace): string {
  const then = state === 'old' ? 'an earlier copy is used' : 'the bundle is without it'
  return `${printable(place.address)} could not be read, so ${then}: ${reason}`
}

function checkPlaces(places: readonly AdvisoryPlace[]): void {
  const addresses = places.map(({ address }) => address)
  const twice = addresses.find((address, index) => addresses.indexOf(address) < index)
  if (twice !== undefined) throw new BaleError('INVALID_ARGUMENT', `the source ${printable(twice)} is named twice`)
}

function checkSome(places: readonly BuiltPlace[]): void {
  if (places.some(({ place, state }) => state !== 'failed' && !isFacts(place))) return
  const reason = places.find((one) => one.reason !== undefined)?.reason
  throw new BaleError('DOWNLOAD_FAILED', `no source of advisories could be read${reason ? `: ${reason}` : ''}`)
}
