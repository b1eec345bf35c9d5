import type { Digest } from '#spec'
import type { Release, StoredGate } from '../decide/index.ts'
import type { MetaStore } from '../meta/index.ts'
import { matchesPattern } from '../pattern/index.ts'
import type { ContentKind } from './content-kind.ts'

/** What a manifest is, and what gates say of it for everybody. */
export interface Judged {
  kind: ContentKind
  release: Release
}

/** Gates, and what was judged by them, until anything is changed that they depend on. */
export interface KnownRules {
  /** False where nothing is kept from anybody. */
  concerns(repository: string): boolean
  gatesOf(repository: string): readonly StoredGate[]
  judged(image: { repository: string; digest: Digest }, now: number): Judged | undefined
  keep(image: { repository: string; digest: Digest }, judged: Judged, now: number): void
}

const MOST_JUDGED = 20_000
const MOST_REPOSITORIES = 5_000

/**
 * Gives what is known in a generation, which is read when the caller has not read it. What a process remembers is that of one
 * generation: whichever replica changes something, the next request at each of them reads anew.
 */
export function rememberRules(meta: MetaStore): (generation?: number) => Promise<KnownRules> {
  let latest: { generation: number; rules: Promise<KnownRules> } | undefined
  return async (given) => {
    const generation = given ?? (await meta.gateGeneration())
    if (latest?.generation === generation) return await latest.rules
    const reading = { generation, rules: readRules(meta) }
    latest = reading
    // What could not be read is read again.
    reading.rules.catch(() => {
      if (latest === reading) latest = undefined
    })
    return await reading.rules
  }
}

async function readRules(meta: MetaStore): Promise<KnownRules> {
  const { gates, hasStates } = await meta.gateRules()
  const byRepository = new Map<string, readonly StoredGate[]>()
  const known = new Map<string, { judged: Judged; expiresAt: number }>()
  const gatesOf = (repository: string) => {
    const found = byRepository.get(repository)
    if (found) return found
    const fitting = gates.filter(({ pattern }) => matchesPattern(pattern, repository))
    if (byRepository.size >= MOST_REPOSITORIES) byRepository.clear()
    byRepository.set(repository, fitting)
    return fitting
  }
  return {
    concerns: (repository) => hasStates || (gates.length > 0 && gatesOf(repository).length > 0),
    gatesOf: (repository) => (gates.length === 0 ? gates : gatesOf(repository)),
    judged(image, now) {
      const found = known.get(keyOf(image))
      return found && found.expiresAt > now ? found.judged : undefined
    },
    keep(image, judged, now) {
      if (known.size >= MOST_JUDGED) known.clear()
      known.set(keyOf(image), { judged, expiresAt: now + judged.release.until })
    },
  }
}

const keyOf = ({ repository, digest }: { repository: string; digest: Digest }) => `${repository}@${digest}`
