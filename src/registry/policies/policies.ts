import { BaleError, printable } from '#base'
import type { TagPolicy } from '../decide/index.ts'
import type { MetaStore, UnkeptTag } from '../meta/index.ts'
import { checkPattern } from '../pattern/index.ts'
import { checkedGateRule, type GateRule } from './gate-rule.ts'
import { listUnkeptTags } from './retention.ts'

/** Rules about tags and content, each for the repositories that a pattern matches: `team/web`, `team/*` (one part), `team/**`, `**`. */
export interface Policies {
  /** By their IDs. */
  list(): Promise<TagPolicy[]>
  /**
   * Makes tags immutable: they can be made, but neither moved nor deleted, nor can their manifests. `tags` and those in
   * `except` are written as tags, with `*` for any characters. Returns the policy's ID.
   */
  immutable(pattern: string, tags: string, options?: { except?: readonly string[] }): Promise<number>
  /**
   * Has collections remove the tags that neither this nor another such policy of the repository keeps: it keeps the `last` so many that were
   * pushed, those pushed `within` so many milliseconds, and those that one of `tags` matches. Immutable tags stay. Returns the
   * policy's ID.
   */
  keep(pattern: string, what: { last?: number; within?: number; tags?: readonly string[] }): Promise<number>
  /**
   * Admits manifests alone whose media types (their own, and those of artifact, config and layers) one of `allow` matches, if
   * any is given, and none of `block`; a star stands for any characters. What is there already stays. Returns the policy's ID.
   */
  types(pattern: string, rule: { allow?: readonly string[]; block?: readonly string[] }): Promise<number>
  /**
   * Admits images alone whose lowest layers are those of one of `allow`, if any is given, and of none of `block`: images of
   * this registry, `base/debian:12` or `base/debian@sha256:…`. A tag is what it points to at the moment of a push. MANIFEST_NOT_FOUND
   * for a missing image. Returns the policy's ID.
   */
  base(pattern: string, rule: { allow?: readonly string[]; block?: readonly string[] }): Promise<number>
  /**
   * Gives out images alone that pass what is said; what is not said takes the defaults of gates. Pushes are not judged. Where several gates
   * match, an image must pass each. INVALID_ARGUMENT for what cannot be meant, such as a key that cannot be read. Returns the policy's ID.
   */
  gate(pattern: string, rule?: GateRule): Promise<number>
  /** NOT_FOUND when there is none with this ID. */
  remove(id: number): Promise<void>
  /** The tags that a collection would remove now: in all repositories, or in those that a pattern matches. */
  try(options?: { pattern?: string; signal?: AbortSignal }): Promise<(UnkeptTag & { repository: string })[]>
}

export function createPolicies(meta: MetaStore): Policies {
  return {
    list: () => meta.listPolicies(),
    async immutable(pattern, tags, { except = [] } = {}) {
      checkPattern(pattern)
      for (const glob of [tags, ...except]) checkGlob(glob)
      return await meta.addPolicy({ kind: 'immutable', pattern, tags: [tags], except: [...except] })
    },
    async keep(pattern, { last, within, tags = [] }) {
      checkPattern(pattern)
      for (const glob of tags) checkGlob(glob)
      checkKept({ last, within, tags })
      return await meta.addPolicy({ kind: 'keep', pattern, last, within, tags: [...tags] })
    },
    async types(pattern, { allow = [], block = [] }) {
      checkPattern(pattern)
      for (const glob of [...allow, ...block]) checkTypeGlob(glob)
      checkGiven(pattern, [...allow, ...block])
      return await meta.addPolicy({ kind: 'types', pattern, allow: [...allow], block: [...block] })
    },
    async base(pattern, { allow = [], block = [] }) {
      checkPattern(pattern)
      checkGiven(pattern, [...allow, ...block])
      return await meta.addPolicy({ kind: 'base', pattern, allow: [...allow], block: [...block] })
    },
    async gate(pattern, rule = {}) {
      checkPattern(pattern)
      return await meta.addPolicy({ ...(await checkedGateRule(rule)), kind: 'gate', pattern })
    },
    async try({ pattern, signal } = {}) {
      if (pattern !== undefined) checkPattern(pattern)
      return await listUnkeptTags(meta, { only: pattern, signal })
    },
    async remove(id) {
      if (await meta.removePolicy(id)) return
      throw new BaleError('NOT_FOUND', `there is no policy ${id}`, { next: { act: 'list-registry-policies' } })
    },
  }
}

/** Of RFC 6838, with stars. */
const TYPE_GLOB = /^[A-Za-z0-9!#$&^_.+*/-]{1,255}$/

function checkTypeGlob(glob: string): void {
  if (TYPE_GLOB.test(glob) && !glob.includes('**') && (glob.match(/\*/g) ?? []).length <= 8) return
  throw new BaleError('INVALID_ARGUMENT', `not a pattern of media types: ${printable(glob, 255)}`, {
    hint: 'for example application/vnd.oci.image.*: * stands for any characters',
  })
}

function checkGiven(pattern: string, given: readonly string[]): void {
  if (given.length > 0) return
  throw new BaleError('INVALID_ARGUMENT', `the policy of ${pattern} would neither allow nor block anything`)
}

/** A century. */
const LONGEST = 100 * 365 * 86_400_000

/** One that keeps nothing would remove all tags. */
function checkKept({ last, within, tags }: { last?: number; within?: number; tags: readonly string[] }): void {
  const isWithin = (value: number | undefined, most: number) =>
    value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)
  if (!isWithin(last, 1e9)) throw new BaleError('INVALID_ARGUMENT', `not a number of tags to keep: ${last}`)
  if (!isWithin(within, LONGEST)) {
    throw new BaleError('INVALID_ARGUMENT', `not a period to keep tags for: ${within} milliseconds`)
  }
  if (last !== undefined || within !== undefined || tags.length > 0) return
  throw new BaleError('INVALID_ARGUMENT', 'the policy would keep no tags at all', {
    hint: 'say how many are kept, for how long, or which ones',
  })
}

const GLOB = /^[A-Za-z0-9_.*-]{1,128}$/

/** At most eight stars, as in patterns of repositories. */
function checkGlob(glob: string): void {
  if (GLOB.test(glob) && !glob.includes('**') && (glob.match(/\*/g) ?? []).length <= 8) return
  throw new BaleError('INVALID_ARGUMENT', `not a pattern of tags: ${printable(glob, 120)}`, {
    hint: 'for example latest, v* or *-release: * stands for any characters',
  })
}
