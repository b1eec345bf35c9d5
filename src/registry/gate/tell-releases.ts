import { randomUUID } from 'node:crypto'
import type { Clock } from '#base'
import type { MetaStore } from '../meta/index.ts'
import type { Gate } from './gate.ts'

interface TellingParts {
  meta: MetaStore
  gate: Pick<Gate, 'judgeOne'>
  clock: Clock
}

const DAY = 86_400_000
/** Whoever has an exception has so long to think of another one. */
const EXPIRING = 14 * DAY
const PAGE = 200
const TURN = 60_000
/** Time alone changes what gates say: exceptions and days of grace end. */
const AT_LEAST_EVERY = 5 * 60_000
/** Of all its time, a process spends no more than one part in so many on this. */
const SHARE = 10

/**
 * Tells of images that gates judge otherwise than they did, whatever the reason: a scan, new advisories, a policy, an exception or its
 * end. One process of a registry does it at a time, and what was told is in the database.
 */
export function createTelling({ meta, gate, clock }: TellingParts): { round(signal: AbortSignal): Promise<void> } {
  const holder = randomUUID()
  let told: number | undefined
  let next = 0
  let at = Number.NEGATIVE_INFINITY

  async function tellAll(patterns: readonly string[], signal: AbortSignal): Promise<void> {
    for (let last: { repository: string; digest: string } | undefined, more = true; more; ) {
      const page = await meta.gatedImages(patterns, { last, limit: PAGE })
      for (const { repository, digest } of page) {
        signal.throwIfAborted()
        const release = await gate.judgeOne(repository, digest)
        if (release.outcome === 'wait') continue
        const detail = release.outcome === 'blocked' ? release.refusal.message : ''
        await meta.tellRelease(repository, digest, { outcome: release.outcome, detail })
      }
      last = page.at(-1)
      more = page.length === PAGE && (await meta.takeTurn(NAME, holder, TURN))
    }
  }

  return {
    async round(signal) {
      const began = clock.now()
      const generation = await meta.gateGeneration()
      if (began < next || (generation === told && began < at + AT_LEAST_EVERY)) return
      if (!(await meta.takeTurn(NAME, holder, TURN))) return
      try {
        await meta.tellExpiring(EXPIRING)
        const { gates } = await meta.gateRules()
        if (gates.length > 0) await tellAll([...new Set(gates.map(({ pattern }) => pattern))], signal)
        told = generation
        at = clock.now()
        next = at + (at - began) * SHARE
      } finally {
        await meta.endTurn(NAME, holder)
      }
    },
  }
}

const NAME = 'telling what gates judge otherwise'
