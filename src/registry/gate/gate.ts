import { BaleError, type Clock, createSingleFlight } from '#base'
import type { Digest } from '#spec'
import { decide, type Release } from '../decide/index.ts'
import type { MetaStore, StoredReleaseFacts } from '../meta/index.ts'
import { contentOf } from './content-kind.ts'
import { type Judged, type KnownRules, rememberRules } from './known-rules.ts'
import { factsOfScan, pendingOf } from './scan-facts.ts'

/** Who wants something, for gates. */
export interface Wanting {
  /** As histories have it; undefined for what the registry does by itself. */
  actor?: string
  address?: string
  /** Whether the client went away: asked now and then while it waits. */
  isGone?(): boolean
}

/** Whether what a repository has may be pulled. */
export interface Gate {
  /**
   * Throws IMAGE_BLOCKED with the policy and the worst findings; waits for scans as gates say. Returns warnings. `generation` is what was
   * read along with the manifest: most images then pass without another look at the database.
   */
  checkManifest(repository: string, digest: Digest, wanting: Wanting, generation?: number): Promise<readonly string[]>
  /** A blob may be pulled with any manifest of the repository that has it and may be pulled, and when no manifest has it. */
  checkBlob(repository: string, digest: Digest, wanting: Wanting, generation?: number): Promise<void>
  /** The present verdict on a blob, for somebody. */
  judgeBlob(repository: string, digest: Digest, wanting: Wanting): Promise<Release>
  /** False where every image may be pulled. */
  concerns(repository: string): Promise<boolean>
  /** The present verdict on a manifest. */
  judgeOne(repository: string, digest: Digest): Promise<Release>
  /** The same, of a manifest with all images that it lists: one that is blocked blocks the whole. */
  judgeWhole(repository: string, digest: Digest): Promise<Release>
}

/** What gates are judged by. */
export interface GateParts {
  meta: MetaStore
  /** The database's time. */
  clock: Clock
  /** Whether one of the keys (PEM) signed a manifest of a repository. */
  isSigned(image: { repository: string; digest: Digest }, keys: readonly string[]): Promise<boolean>
}

/** Manifests of a repository that share a blob are judged from the newest on: a few, which is mostly enough, then at most so many. */
const FIRST_WITH_BLOB = 10
const MOST_WITH_BLOB = 1000
/** Indexes in indexes. */
const DEEPEST = 3
/** Pause between two looks while requests wait for scans. Milliseconds. */
const LOOK_EVERY = 500
/** Requests that wait in one process; further ones are refused at once. */
const MOST_WAITING = 500

const ALLOWED: Judged = {
  kind: 'artifact',
  release: { outcome: 'allowed', warnings: [], until: Number.POSITIVE_INFINITY },
}

export function createGate({ meta, clock, isSigned }: GateParts): Gate {
  const rules = rememberRules(meta, () => clock.now())
  const looking = createSingleFlight<'', number>()
  let waiting = 0

  async function judgeManifest(known: KnownRules, image: Image, depth = 0): Promise<Judged> {
    if (!known.concerns(image.repository)) return ALLOWED
    const judge = () => judgeAnew(known, image, depth)
    if (image.actor !== undefined) return await judge()
    // How deeply an index is nested counts.
    return await known.judged(image, judge, ({ kind }) => depth === 0 || kind !== 'index')
  }

  async function judgeAnew(known: KnownRules, image: Image, depth: number): Promise<Judged> {
    const facts = await meta.releaseFacts(image.repository, image.digest)
    // The request is answered with 404 anyway.
    if (!facts) return ALLOWED
    const { kind, listed } = contentOf(facts.bytes, facts.mediaType)
    if (kind !== 'index') return { kind, release: await judgeAlone(known, image, facts, kind) }
    const isListing = facts.state === undefined && listed.length > 0
    const release = isListing
      ? await judgeListed(known, { image, facts, listed, depth })
      : await judgeAlone(known, image, facts, 'artifact')
    return { kind, release }
  }

  async function judgeAlone(
    known: KnownRules,
    image: Image,
    facts: StoredReleaseFacts,
    content: 'image' | 'proof' | 'artifact',
  ): Promise<Release> {
    const gates = known.gatesOf(image.repository)
    const isTimed = gates.some(({ grace = 0 }) => grace > 0)
    return await decide('anyone', 'release', {
      ...image,
      gates,
      state: facts.state,
      content,
      scan: await factsOfScan(facts.scan, {
        now: facts.now,
        knownFor: isTimed ? (keys) => meta.knownFor(keys) : undefined,
      }),
      pending: pendingOf(facts.scan),
      exceptions: facts.exceptions.map(({ expiresAt, ...one }) => ({ ...one, expiresIn: expiresAt - facts.now })),
      isSigned: (keys) => isSigned(image, keys),
    })
  }

  /**
   * An index may be pulled as long as one of its images may be, or is not here yet: each of them is judged by itself when it is
   * asked for. Signatures and attestations in it do not count.
   */
  async function judgeListed(
    known: KnownRules,
    {
      image,
      facts,
      listed,
      depth,
    }: { image: Image; facts: StoredReleaseFacts; listed: readonly Digest[]; depth: number },
  ): Promise<Release> {
    const here = new Set<string>(facts.children)
    if (depth === DEEPEST || listed.some((digest) => !here.has(digest))) return ALLOWED.release
    const refusals: Release[] = []
    for (const digest of listed) {
      const { kind, release } = await judgeManifest(known, { ...image, digest }, depth + 1)
      if (kind !== 'image' && kind !== 'index') continue
      if (release.outcome === 'allowed') return release
      refusals.push(release)
    }
    return firstOf(refusals) ?? judgeAlone(known, image, facts, 'artifact')
  }

  async function judgeWhole(known: KnownRules, image: Image, depth = 0): Promise<Release> {
    const { kind, release } = await judgeManifest(known, image)
    if (kind !== 'index' || release.outcome !== 'allowed') return release
    if (depth === DEEPEST) return tooDeep(image)
    const facts = await meta.releaseFacts(image.repository, image.digest)
    for (const digest of facts?.children ?? []) {
      const one = await judgeWhole(known, { ...image, digest }, depth + 1)
      if (one.outcome !== 'allowed') return one
    }
    return release
  }

  async function judgeBlob(known: KnownRules, { repository, digest, actor }: Image): Promise<Release> {
    if (!known.concerns(repository)) return ALLOWED.release
    const refusals: Release[] = []
    for (const limit of [FIRST_WITH_BLOB, MOST_WITH_BLOB]) {
      const manifests = await meta.manifestsOfBlob(repository, digest, limit)
      for (const manifest of manifests.slice(refusals.length)) {
        const { release } = await judgeManifest(known, { repository, digest: manifest, actor })
        if (release.outcome === 'allowed') return release
        refusals.push(release)
      }
      if (manifests.length < limit) break
    }
    return firstOf(refusals) ?? ALLOWED.release
  }

  /** The verdict for whoever asks, whom a gate may exempt. `refusal` is what everybody else is told. */
  async function judgeFor(
    judge: Judge,
    image: Image,
    { actor }: Wanting,
    generation?: number,
  ): Promise<{ release: Release; refusal?: BaleError }> {
    const known = await rules(generation)
    const release = await judge(known, image)
    if (release.outcome === 'allowed' || actor === undefined) return { release }
    const isNamed = known.gatesOf(image.repository).some(({ exempt }) => exempt?.includes(actor))
    return isNamed ? { release: await judge(known, { ...image, actor }), refusal: release.refusal } : { release }
  }

  async function check(judge: Judge, image: Image, wanting: Wanting, generation?: number): Promise<readonly string[]> {
    let judged = await judgeFor(judge, image, wanting, generation)
    if (judged.release.outcome === 'wait' && waiting < MOST_WAITING) {
      waiting++
      try {
        const end = clock.now() + judged.release.wait
        while (judged.release.outcome === 'wait' && clock.now() < end) {
          const seen = await looking('', async () => {
            await clock.sleep(LOOK_EVERY)
            return await meta.gateGeneration()
          })
          if (wanting.isGone?.()) return []
          judged = await judgeFor(judge, image, wanting, seen)
        }
      } finally {
        waiting--
      }
    }
    const { release, refusal } = judged
    if (release.outcome !== 'allowed') throw release.refusal
    if (release.isExempt && refusal) await recordExempt(image, wanting, refusal)
    return release.warnings
  }

  /** By the manifest: its blobs are the same pull. */
  async function recordExempt(image: Image, { actor = '', address }: Wanting, refusal: BaleError): Promise<void> {
    const digest = refusal.details['digest'] as Digest
    await meta.recordExemptPull({ repository: image.repository, digest, actor, address, detail: refusal.message })
  }

  const judgeOne: Judge = async (known, image) => (await judgeManifest(known, image)).release

  return {
    checkManifest: (repository, digest, wanting, generation) =>
      check(judgeOne, { repository, digest }, wanting, generation),
    async checkBlob(repository, digest, wanting, generation) {
      await check(judgeBlob, { repository, digest }, wanting, generation)
    },
    judgeBlob: async (repository, digest, wanting) =>
      (await judgeFor(judgeBlob, { repository, digest }, wanting)).release,
    concerns: async (repository) => (await rules()).concerns(repository),
    judgeOne: async (repository, digest) => judgeOne(await rules(), { repository, digest }),
    judgeWhole: async (repository, digest) => judgeWhole(await rules(), { repository, digest }),
  }
}

/** Of several refusals: one that a scan may end first. The verdict holds until the first of them can change. */
function firstOf(refusals: readonly Release[]): Release | undefined {
  const first = refusals.find(({ outcome }) => outcome === 'wait') ?? refusals[0]
  return first && { ...first, until: Math.min(...refusals.map(({ until }) => until)) }
}

function tooDeep({ repository, digest }: Image): Release {
  const refusal = new BaleError(
    'IMAGE_BLOCKED',
    `${repository}@${digest} lists indexes too deeply nested to be judged`,
    {
      details: { repository, digest },
    },
  )
  return { outcome: 'blocked', refusal, until: Number.POSITIVE_INFINITY }
}

interface Image {
  repository: string
  digest: Digest
  /** Of a judgement for somebody. */
  actor?: string | undefined
}

type Judge = (known: KnownRules, image: Image) => Promise<Release>
