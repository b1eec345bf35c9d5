import { stat } from 'node:fs/promises'
import { BaleError, printable } from '#base'
import { decompressAny } from '#format'
import { streamFile } from '#host/file'
import {
  baseEcosystem,
  isOsvFile,
  isRubySecFile,
  openRecords,
  osvKnows,
  readAlpineSecdb,
  readDebianTracker,
  readExploitProbabilities,
  readKnownExploited,
  readOsv,
  readRedHatVex,
  readRubySec,
  type Tally,
} from '../../adapters/index.ts'
import type { Advisory, Coverage } from '../../advisory.ts'
import type { AdvisoryPlace } from './advisory-place.ts'

interface ReadOptions {
  readonly tally: Tally
  readonly signal?: AbortSignal
}

/** Bytes of one document; of Red Hat's, the kernel's have some 40 MiB. */
const DOCUMENT_LIMIT = 128 * 2 ** 20
/** Bytes of a tracker's document, uncompressed: Debian's has 70 MiB. */
const TRACKER_LIMIT = 4 * 2 ** 30

/**
 * The advisories of a file or folder with what a place has; none for lists of facts. Throws INVALID_ARCHIVE and the like when it
 * is not what the place's kind says, also when there is no advisory in it.
 */
export async function* readPlace(place: AdvisoryPlace, path: string, options: ReadOptions): AsyncGenerator<Advisory> {
  let advisories = 0
  for await (const advisory of advisoriesOf(place, path, options)) {
    options.signal?.throwIfAborted()
    if (place.kind === 'osv' && place.ecosystem && baseEcosystem(advisory.ecosystem) !== place.ecosystem) continue
    advisories++
    yield advisory
  }
  checkRead(place, advisories, options.tally)
}

function advisoriesOf(place: AdvisoryPlace, path: string, options: ReadOptions): AsyncIterable<Advisory> {
  const { signal } = options
  switch (place.kind) {
    case 'osv':
      return readOsv(openRecords(path, { ...options, wants: isOsvFile }), options)
    case 'redhat-vex':
      return readRedHatVex(
        openRecords(path, { ...options, wants: isJson, limits: { recordBytes: DOCUMENT_LIMIT } }),
        options,
      )
    case 'rubysec':
      return readRubySec(openRecords(path, { ...options, wants: isRubySecFile }), options)
    case 'debian-tracker':
      return readDebianTracker(documentAt(path, signal), options)
    case 'alpine-secdb':
      return readAlpineSecdb(documentAt(path, signal), { ...options, ecosystem: place.ecosystem })
    default:
      throw new BaleError('INTERNAL', `${place.kind} has no advisories`)
  }
}

const isJson = (name: string) => name.endsWith('.json')

function documentAt(path: string, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  return decompressAny(streamFile(path, { signal }), { limits: { outputBytes: TRACKER_LIMIT }, signal })
}

/** Facts on vulnerabilities by CVE id; those of several places are joined. */
export interface Facts {
  readonly exploited: Set<string>
  readonly probabilities: Map<string, number>
}

/** Adds what a list of facts says. Throws as `readPlace`. */
export async function readFacts(place: AdvisoryPlace, path: string, options: ReadOptions, facts: Facts): Promise<void> {
  const document = streamFile(path, { signal: options.signal })
  if (place.kind === 'kev') {
    const found = await readKnownExploited(document, options)
    checkRead(place, found.size, options.tally)
    for (const id of found) facts.exploited.add(id)
  } else {
    const found = await readExploitProbabilities(document, options)
    checkRead(place, found.size, options.tally)
    for (const [id, probability] of found) facts.probabilities.set(id, probability)
  }
}

export function isFacts({ kind }: AdvisoryPlace): boolean {
  return kind === 'kev' || kind === 'epss'
}

/** An error page or message in place of the data, perhaps with records of a kind, says nothing, and must not pass for data. */
function checkRead({ address }: AdvisoryPlace, found: number, { reasons }: Tally): void {
  if (found > 0) return
  const reason = reasons[0] === undefined ? '' : `: ${reasons[0]}`
  throw new BaleError('INVALID_ARCHIVE', `nothing in ${printable(address)} could be read${reason}`)
}

/** Whether a place knows all vulnerabilities of an ecosystem, or only those with a fix. */
export function placeKnows({ kind }: AdvisoryPlace, ecosystem: string): Coverage['knows'] {
  if (kind === 'alpine-secdb') return 'fixed'
  return kind === 'osv' ? osvKnows(ecosystem) : 'all'
}

/** When a local copy was taken: nothing else is known of it. */
export async function timeOfFile(path: string): Promise<string> {
  return (await stat(path)).mtime.toISOString()
}
