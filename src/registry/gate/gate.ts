import { type Clock, createSingleFlight } from '#base'
import type { Digest } from '#spec'
import { decide, type Release } from '../decide/index.ts'
import type { MetaStore, StoredReleaseFacts } from '../meta/index.ts'
import { contentKind } from './content-kind.ts'
import { type Judged, type KnownRules, rememberRules } from './known-rules.ts'
import { factsOfScan, pendingOf } from './scan-facts.ts'

/** Who wants something, for gates. */
export interface Wanting {
  /** As histories have it; undefined for what the registry does by itself. */
  actor?: string
  address?: string
  /** Whether it still wants it: asked again and again while it waits. */
  isGone?(): boolean
}

/** Whether what a repository has is given out. */
export interface Gate {
  /**
   * Throws IMAGE_BLOCKED with the policy, the worst of what was found, and where more is said. Waits while an image is looked at, as
   * gates say. `generation` is what was read along with the manifest, so that nothing is read for most of those that pass.
   */
  checkManifest(repository: string, digest: Digest, wanting: Wanting, generation?: number): Promise<void>
  /** A blob is given out with any manifest of the repository that has it and is given out, and when none has it. */
  checkBlob(repository: string, digest: Digest, wanting: Wanting): Promise<void>
  /** What gates say of a blob at this moment, for somebody. */
  judgeBlob(repository: string, digest: Digest, wanting: Wanting): Promise<Release>
  /** What gates say of a manifest at this moment. */
  judgeOne(repository: string, digest: Digest): Promise<Release>
  /** The same, and of all images that it lists: one that is blocked counts for all. */
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

/** Manifests of one repository with the same blob, the newest first, that are asked for one that is given out. */
const MOST_WITH_BLOB = 1000
/** What an index lists, and indexes in it. */
const MOST_CHILDREN = 100
const DEEPEST = 3
/** Between two looks at an image that is waited for. Milliseconds. */
const LOOK_EVERY = 500
/** Requests of one process that wait; the next one is refused at once. */
const MOST_WAITING = 500

const ALLOWED: Judged = {
  kind: 'artifact',
  release: { outcome: 'allowed', warnings: [], until: Number.POSITIVE_INFINITY },
}

export function createGate({ meta, clock, isSigned }: GateParts): Gate {
  const rules = rememberRules(meta)
  const looking = createSingleFlight<string, void>()
  let waiting = 0

  async function judgeManifest(known: KnownRules, image: Image, depth = 0): Promise<Judged> {
    const { repository, digest } = image
    if (!known.concerns(repository)) return ALLOWED
    const kept = known.judged(image, clock.now())
    if (kept && image.actor === undefined) return kept
    const facts = await meta.releaseFacts(repository, digest)
    // Whoever asks is told that it is not there.
    if (!facts) return ALLOWED
    const kind = contentKind(facts.bytes, facts.mediaType)
    const release =
      kind === 'index' && facts.state === undefined
        ? await judgeIndex(known, image, facts, depth)
        : await judgeAlone(known, image, facts, kind === 'index' ? 'artifact' : kind)
    const judged = { kind, release }
    if (image.actor === undefined) known.keep(image, judged, clock.now())
    return judged
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

  /** Each image of it is judged by itself when it is asked for: an index is given out as long as that can be of use. */
  async function judgeIndex(
    known: KnownRules,
    image: Image,
    facts: StoredReleaseFacts,
    depth: number,
  ): Promise<Release> {
    const others: Release[] = []
    for (const digest of depth < DEEPEST ? facts.children.slice(0, MOST_CHILDREN) : []) {
      const { kind, release } = await judgeManifest(known, { ...image, digest }, depth + 1)
      if (kind !== 'image' && kind !== 'index') continue
      if (release.outcome === 'allowed') return release
      others.push(release)
    }
    return others.find(({ outcome }) => outcome === 'wait') ?? others[0] ?? judgeAlone(known, image, facts, 'artifact')
  }

  async function judgeWhole(known: KnownRules, image: Image, depth = 0): Promise<Release> {
    const { kind, release } = await judgeManifest(known, image)
    if (kind !== 'index' || release.outcome !== 'allowed' || depth === DEEPEST) return release
    const facts = await meta.releaseFacts(image.repository, image.digest)
    for (const digest of facts?.children ?? []) {
      const one = await judgeWhole(known, { ...image, digest }, depth + 1)
      if (one.outcome !== 'allowed') return one
    }
    return release
  }

  async function judgeBlob(known: KnownRules, { repository, digest, actor }: Image): Promise<Release> {
    if (!known.concerns(repository)) return ALLOWED.release
    const others: Release[] = []
    for (const manifest of await meta.manifestsOfBlob(repository, digest, MOST_WITH_BLOB)) {
      const { release } = await judgeManifest(known, { repository, digest: manifest, actor })
      if (release.outcome === 'allowed') return release
      others.push(release)
    }
    return others.find(({ outcome }) => outcome === 'wait') ?? others[0] ?? ALLOWED.release
  }

  /** Judged for whoever asks: a gate may name it. */
  async function judgeFor(
    judge: Judge,
    image: Image,
    { actor, address }: Wanting,
    generation?: number,
  ): Promise<Release> {
    const known = await rules(generation)
    const release = await judge(known, image)
    const isNamed = actor !== undefined && known.gatesOf(image.repository).some(({ exempt }) => exempt?.includes(actor))
    if (release.outcome === 'allowed' || !isNamed) return release
    const again = await judge(known, { ...image, actor })
    if (again.outcome === 'allowed' && again.by === 'exempt') {
      await meta.recordExemptPull({ ...image, actor, address, detail: release.refusal.message })
    }
    return again
  }

  async function check(judge: Judge, image: Image, wanting: Wanting, generation?: number): Promise<void> {
    let release = await judgeFor(judge, image, wanting, generation)
    if (release.outcome === 'wait' && waiting < MOST_WAITING) {
      waiting++
      try {
        const end = clock.now() + release.wait
        while (release.outcome === 'wait' && clock.now() < end) {
          await looking(`${image.repository}@${image.digest}`, () => clock.sleep(LOOK_EVERY))
          if (wanting.isGone?.()) return
          release = await judgeFor(judge, image, wanting)
        }
      } finally {
        waiting--
      }
    }
    if (release.outcome !== 'allowed') throw release.refusal
  }

  const judgeOne: Judge = async (known, image) => (await judgeManifest(known, image)).release

  return {
    checkManifest: (repository, digest, wanting, generation) =>
      check(judgeOne, { repository, digest }, wanting, generation),
    checkBlob: (repository, digest, wanting) => check(judgeBlob, { repository, digest }, wanting),
    judgeBlob: (repository, digest, wanting) => judgeFor(judgeBlob, { repository, digest }, wanting),
    judgeOne: async (repository, digest) => judgeOne(await rules(), { repository, digest }),
    judgeWhole: async (repository, digest) => judgeWhole(await rules(), { repository, digest }),
  }
}

interface Image {
  repository: string
  digest: Digest
  /** Of a judgement for somebody. */
  actor?: string | undefined
}

type Judge = (known: KnownRules, image: Image) => Promise<Release>
