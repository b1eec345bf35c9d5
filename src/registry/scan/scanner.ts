import { asError, BaleError, type Clock, type ErrorCode, isBaleError, printable } from '#base'
import { ANALYSER_VERSION } from '#trust/inventory'
import type { ScanEnd, TakenScan } from '../meta/index.ts'
import type { Observe } from '../operation/index.ts'
import { type Confinement, findConfinement } from './confinement.ts'
import { blobsOf, bringBlobs, type ImageParts, imageOf } from './image-at-hand.ts'
import { createMatching, MATCHING, noAdvisories } from './matching.ts'
import { scanInProcess } from './scan-process.ts'
import { encodeInventory } from './scan-record.ts'
import { checkedSettings, type ScanningSettings } from './scan-settings.ts'

/** Scans the images that are due. Disposing it ends scans that run, and gives them back. */
export interface Scanner extends AsyncDisposable {
  /** Begins what is due by now. A slow scan does not hold up the next round. */
  round(): Promise<void>
}

/** What a scanner is made of. */
export interface ScannerParts extends ImageParts {
  settings: ScanningSettings
  clock: Clock
  report: (failure: unknown, what: string) => void
  observe: Observe | undefined
  /** For tests: other programs in place of those that scan and match, and what this machine can do. */
  programs?: { scan?: string; match?: string }
  confinement?: Confinement
}

/** A scan whose lease is older than this is abandoned. The lease is renewed ten times within it. */
const LEASE = 30_000
const COUNT_EVERY = 5_000
const MOST_COUNTED = 10_000

const ANALYSER = String(ANALYSER_VERSION)

/** Replicas do not know each other: each takes scans, and the database gives each to one of them. Throws INVALID_ARGUMENT. */
export function createScanner({ settings, confinement: given, programs, ...parts }: ScannerParts): Scanner {
  const { meta, clock, report, observe } = parts
  const { workers, memory, timeout, advisories } = checkedSettings(settings)
  const stopping = new AbortController()
  const { signal } = stopping
  const working = new Set<Promise<void>>()
  const confinement = given ? Promise.resolve(given) : findConfinement()
  let begun: ReturnType<typeof begin> | undefined
  let again = false
  let counted = Number.NEGATIVE_INFINITY

  /** Once, at the first round. */
  async function begin() {
    const found = await confinement
    for (const one of found.missing) report(new Error(one), 'confining scans')
    if (advisories === undefined) {
      report(noAdvisories('no bundle of advisories is named'), MATCHING)
      return { confinement: found, matching: undefined }
    }
    const program = programs?.match
    return {
      confinement: found,
      matching: createMatching({ meta, advisories, confinement: found, memory, clock, report, observe, program }),
    }
  }

  /** One scan after the other, until none is due. While there are some, others work beside it. */
  async function work(): Promise<void> {
    while (!signal.aborted) {
      again = false
      const taken = await meta.takeScan({ lease: LEASE, analyser: ANALYSER })
      if (taken) {
        startWorker()
        await doScan(taken)
      } else if (!again) return
    }
  }

  function startWorker(): void {
    if (signal.aborted || working.size >= workers) return
    const worker = work()
      .catch((error: unknown) => report(error, 'scanning'))
      .finally(() => working.delete(worker))
    working.add(worker)
  }

  async function doScan(taken: TakenScan): Promise<void> {
    const lost = new AbortController()
    const keeping = setInterval(() => {
      // The database is away: the lease lasts for some tries.
      meta.keepScan(taken, LEASE).then(
        (kept) => kept || lost.abort(new BaleError('LOCKED', 'another process scans it')),
        () => undefined,
      )
    }, LEASE / 10)
    try {
      const end = await scan(taken, AbortSignal.any([signal, lost.signal]))
      await finish(taken, end)
    } catch (error) {
      if (signal.aborted) await meta.releaseScan(taken)
      else if (!lost.signal.aborted) {
        report(error, `scanning ${taken.digest}`)
        await finish(taken, endOf(error, taken.tries))
      }
    } finally {
      clearInterval(keeping)
    }
  }

  async function scan(taken: TakenScan, during: AbortSignal): Promise<ScanEnd> {
    const image = imageOf(taken)
    if (!image) return { outcome: 'no image' }
    const { repository } = taken
    await aborting(bringBlobs(parts, repository, image), during)
    const inventory = await scanInProcess(image, blobsOf(parts, repository), {
      ...{ memory, timeout, signal: during, program: programs?.scan },
      confinement: await confinement,
    })
    return { outcome: 'scanned', analyser: ANALYSER, inventory: encodeInventory(inventory) }
  }

  async function finish(taken: TakenScan, end: ScanEnd): Promise<void> {
    if (!(await meta.endScan(taken, end))) return
    observe?.({ kind: 'scan-ended', outcome: end.outcome === 'no image' ? 'no-image' : end.outcome })
    if (end.outcome === 'scanned') await matchNow(taken)
  }

  async function matchNow({ digest }: TakenScan): Promise<void> {
    try {
      const { matching } = await begun!
      await matching?.matchNow(digest)
    } catch (error) {
      // It is tried again with all others that have no result.
      if (!signal.aborted) report(error, `matching ${digest}`)
    }
  }

  async function count(): Promise<void> {
    if (!observe || clock.now() < counted + COUNT_EVERY) return
    counted = clock.now()
    observe({ kind: 'scans-counted', ...(await meta.countScans(MOST_COUNTED)) })
  }

  return {
    async round() {
      if (signal.aborted) return
      begun ??= begin()
      const { matching } = await begun
      again = true
      startWorker()
      await count()
      await matching?.round()
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new BaleError('ABORTED', 'the registry ends'))
      const { matching } = (await begun) ?? {}
      await Promise.all([...working, matching?.[Symbol.asyncDispose]()])
    },
  }
}

/** The work itself goes on: it may be another one's as well. Nobody waits for it here. */
async function aborting(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

const MINUTE = 60_000
const FIRST_PAUSE = 30_000
const LONGEST_PAUSE = 10 * MINUTE
const MOST_TRIES = 4
/** Those of half a day. */
const MOST_TRIES_AWAY = 80
const LONGEST_TEXT = 1000

/** Something that the scan needs is away: the image is not to blame. */
const AWAY: readonly ErrorCode[] = [
  'REGISTRY_UNREACHABLE',
  'REGISTRY_FAILED',
  'RATE_LIMITED',
  'UNAVAILABLE',
  'NO_SPACE',
  'LOCKED',
]

/** How a try that failed ends; its number is from 1. */
function endOf(thrown: unknown, tries: number): ScanEnd {
  const failure = printable(asError(thrown).message, LONGEST_TEXT)
  const isAway = AWAY.some((code) => isBaleError(thrown, code))
  const most = isBaleError(thrown, 'INVALID_MANIFEST') ? 1 : isAway ? MOST_TRIES_AWAY : MOST_TRIES
  if (tries >= most) return { outcome: 'failed', failure }
  return { outcome: 'again', failure, pause: Math.min(FIRST_PAUSE * 4 ** (tries - 1), LONGEST_PAUSE) }
}
