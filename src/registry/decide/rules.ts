import type { Severity } from '#trust/advisories'

/**
 * In repositories that the pattern matches, tags that one of `tags` matches, and none of `except`, are immutable. Both are
 * written as tags, with `*` for any characters.
 */
export interface ImmutableTags {
  kind: 'immutable'
  pattern: string
  tags: string[]
  except: string[]
}

/**
 * In repositories that the pattern matches, a tag stays when it is one of the `last` so many that were pushed, when it was pushed
 * `within` so many milliseconds, or when one of `tags` matches it. What none of such policies keeps is removed by collections.
 */
export interface KeptTags {
  kind: 'keep'
  pattern: string
  last?: number
  within?: number
  tags: string[]
}

/**
 * Repositories that the pattern matches take manifests alone whose media types (their own, that of the artifact, the config and
 * the layers) one of `allow` matches, if any is given, and none of `block`. A star stands for any characters.
 */
export interface ContentTypes {
  kind: 'types'
  pattern: string
  allow: string[]
  block: string[]
}

/**
 * Repositories that the pattern matches take images alone whose lowest layers are those of one of `allow`, if any is
 * given, and of none of `block`: images of the registry, `base/debian:12` or `base/debian@sha256:…`. A tag is what it points to
 * at the moment of a push.
 */
export interface BaseImages {
  kind: 'base'
  pattern: string
  allow: string[]
  block: string[]
}

/** What a gate does where it finds something. */
export type GateAct = 'allow' | 'block'

/**
 * Repositories that the pattern matches give out images that pass all that is said here; pushing is never forbidden. What is not
 * said takes the defaults of `GATE_DEFAULTS`. Where several gates match, each of them must let pass.
 */
export interface ReleaseGate {
  kind: 'gate'
  pattern: string
  /** Vulnerabilities at least so bad block; `none`: none does by its severity. */
  severity?: Severity | 'none'
  /** Only those that an update ends. */
  onlyFixable?: boolean
  /** Milliseconds since this registry first knew of a vulnerability in a package, until when it does not block. */
  grace?: number
  /** How bad a vulnerability counts that nobody has rated. */
  unknown?: Exclude<Severity, 'unknown'> | GateAct
  /** Packages that no data covers, files that could not be read, and artifacts that are no images. */
  notCovered?: GateAct
  /** Images that have not been looked at: they are waited for, `wait` milliseconds, or blocked or allowed at once. */
  unscanned?: GateAct | { wait: number }
  /** Vulnerabilities that are known to be exploited, however bad. */
  exploited?: GateAct
  /** What must have signed, PEM: one of these keys. */
  signers?: string[]
  /** Advisories may be so old, in milliseconds, before `staleAct` is done. */
  stale?: number
  staleAct?: 'warn' | 'block'
  /** Accounts that get blocked images as well: `user:ann`, `robot:acme+scanner`. Each such pull is on record. */
  exempt?: string[]
}

/** A rule about repositories that its pattern matches. */
export type Rule = ImmutableTags | KeptTags | ContentTypes | BaseImages | ReleaseGate

/** A rule that is stored. Its ID is never given again. */
export type TagPolicy = Rule & { id: number }
