import type { Clock } from '#base'
import type { Digest } from '#spec'
import { inTurn, type MetaStore } from '../meta/index.ts'
import type { Gate } from './gate.ts'

interface TellingParts {
  meta: MetaStore
  gate: Pick<Gate, 'judgeOne'>
  clock: Clock
}

const DAY = 86_400_000
/** How long before the end of an exception its end is announced. */
const EXPIRING = 14 * DAY
const PAGE = 200
/** Some verdicts change by time alone: when an exception or a grace period ends. */
const AT_LEAST_EVERY = 5 * 60_000
/** A process spends at most one part in so many of its time on this. */
const SHARE = 10

interface Place {
  repository: string
  digest: string
}

/**
 * Reports when a verdict on an image changes, whatever the reason: a scan, new advisories, a policy that comes or goes, an exception or
 * its end. One process of a registry does so at a time. The database knows which images were reported as blocked.
 */
export function createTelling({ meta, gate, clock }: TellingParts): { round(signal: AbortSignal): Promise<void> } {
  let told: number | undefined
  let next = 0
  let at = Number.NEGATIVE_INFINITY

  async function tell(images: Images, signal: AbortSignal): Promise<void> {
    for (const { repository, digest } of images) {
      signal.throwIfAborted()
      const release = await gate.judgeOne(repository, digest)
      if (release.outcome === 'wait') continue
      const detail = release.outcome === 'blocked' ? release.refusal.message : ''
      await meta.tellRelease(repository, digest, { outcome: release.outcome, detail })
    }
  }

  async function tellAll(read: (page: { last?: Place; limit: number }) => Promise<Images>, signal: AbortSignal) {
    for (let last: Place | undefined, more = true; more; ) {
      const page = await read({ limit: PAGE, ...(last && { last }) })
      await tell(page, signal)
      last = page.at(-1)
      more = page.length === PAGE
    }
  }

  async function work(signal: AbortSignal): Promise<void> {
    await meta.tellExpiring(EXPIRING)
    // What is blocked no more may match no gate any more.
    await tellAll((page) => meta.toldBlocked(page), signal)
    const patterns = [...new Set((await meta.gateRules()).gates.map(({ pattern }) => pattern))]
    if (patterns.length > 0) await tellAll((page) => meta.gatedImages(patterns, page), signal)
  }

  return {
    async round(signal) {
      const began = clock.now()
      const generation = await meta.gateGeneration()
      if (began < next || (generation === told && began < at + AT_LEAST_EVERY)) return
      const outcome = await inTurn(meta, NAME, (lost) => work(AbortSignal.any([signal, lost])))
      if (outcome === 'taken') return
      told = generation
      at = clock.now()
      next = at + (at - began) * SHARE
    },
  }
}

type Images = readonly { repository: string; digest: Digest }[]

const NAME = 'reporting changes of verdicts'
