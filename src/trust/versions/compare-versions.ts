import { apk } from './apk.ts'
import { cargo } from './cargo.ts'
import { composer } from './composer.ts'
import { deb } from './deb.ts'
import { gem } from './gem.ts'
import { go } from './go.ts'
import { maven } from './maven.ts'
import { nuget } from './nuget.ts'
import { pypi } from './pypi.ts'
import { rpm } from './rpm.ts'
import { semver } from './semver.ts'
import type { Compare, VersionScheme } from './version-scheme.ts'

const SCHEMES = { deb, rpm, apk, semver, pypi, gem, maven, go, nuget, composer, cargo } satisfies Record<
  string,
  VersionScheme
>

/** The rules of an ecosystem; `semver` is npm's. */
export type Scheme = keyof typeof SCHEMES

/**
 * Orders two versions of a scheme: negative when `left` is older, 0 when they are equal in rank (their texts may differ),
 * positive when it is newer. Undefined when one of them is not a version of the scheme: then nothing can be said.
 */
export function compareVersions(scheme: Scheme, left: string, right: string): number | undefined {
  return SCHEMES[scheme].compare(left, right)
}

/** True for a version of the scheme, without white space around it and of at most 1,000 characters. */
export function isVersion(scheme: Scheme, text: string): boolean {
  return SCHEMES[scheme].isVersion(text)
}

/** `compareVersions` of one scheme. */
export function comparatorOf(scheme: Scheme): Compare {
  return SCHEMES[scheme].compare
}
