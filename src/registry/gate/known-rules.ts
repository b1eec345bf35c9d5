import type { Digest } from '#spec'
import type { Release, StoredGate } from '../decide/index.ts'
import type { MetaStore } from '../meta/index.ts'
import { matchesPattern } from '../pattern/index.ts'
import type { ContentKind } from './content-kind.ts'

/** What a manifest is, and the verdict on it for everybody. */
export interface Judged {
  kind: ContentKind
  release: Release
}

/** Gates, and verdicts by them, until something is changed that they depend on. */
export interface KnownRules {
  /** False where every image may be pulled. */
  concerns(repository: string): boolean
  gatesOf(repository: string): readonly StoredGate[]
  /** The verdict that is known, or the one that `judge` makes; those who ask at the same time share it. Some are not to be kept. */
  judged(
    image: { repository: string; digest: Digest },
    judge: () => Promise<Judged>,
    isKept: (judged: Judged) => boolean,
  ): Promise<Judged>
}

const MOST_JUDGED = 20_000
const MOST_REPOSITORIES = 5_000

/**
 * Returns what is known in a generation, which is read if the caller has not read it. A process remembers one generation: after any
 * replica has changed something, the next request at each of them reads anew.
 */
export function rememberRules(meta: MetaStore, now: () => number): (generation?: number) => Promise<KnownRules> {
  let latest: { generation: number; rules: Promise<KnownRules> } | undefined
  return async (given) => {
    const generation = given ?? (await meta.gateGeneration())
    if (latest?.generation === generation) return await latest.rules
    const reading = { generation, rules: readRules(meta, now) }
    latest = reading
    // After a failure the next request tries again.
    reading.rules.catch(() => {
      if (latest === reading) latest = undefined
    })
    return await reading.rules
  }
}

async function readRules(meta: MetaStore, now: () => number): Promise<KnownRules> {
  const { gates, withStates } = await meta.gateRules()
  const byRepository = new Map<string, readonly StoredGate[]>()
  const known = new Map<string, { judging: Promise<Judged>; expiresAt: number }>()
  const gatesOf = (repository: string) => {
    if (gates.length === 0) return gates
    const found = byRepository.get(repository)
    if (found) return found
    const fitting = gates.filter(({ pattern }) => matchesPattern(pattern, repository))
    if (byRepository.size >= MOST_REPOSITORIES) byRepository.clear()
    byRepository.set(repository, fitting)
    return fitting
  }
  return {
    concerns: (repository) => withStates.has(repository) || gatesOf(repository).length > 0,
    gatesOf,
    async judged({ repository, digest }, judge, isKept) {
      const key = `${repository}@${digest}`
      const found = known.get(key)
      if (found && found.expiresAt > now()) return await found.judging
      const entry = { judging: judge(), expiresAt: Number.POSITIVE_INFINITY }
      if (known.size >= MOST_JUDGED) known.clear()
      known.set(key, entry)
      try {
        const judged = await entry.judging
        entry.expiresAt = isKept(judged) ? now() + judged.release.until : 0
        return judged
      } catch (error) {
        if (known.get(key) === entry) known.delete(key)
        throw error
      }
    },
  }
}
