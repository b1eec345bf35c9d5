import type { AptSource, SignedBy } from './apt-sources.ts'

/** Which archive a place has. Debian publishes security updates apart from the rest. */
export type ArchiveKind = 'security' | 'main'

/** Where one archive can be fetched from. */
export interface MirrorPlace {
  readonly kind: ArchiveKind
  readonly uri: string
  readonly components: readonly string[]
  readonly signedBy?: SignedBy
  readonly checkValidUntil: boolean
}

/**
 * The places behind sources of apt, whatever release they are configured for: another release of Debian is at the same
 * URIs. Backports, proposed updates and the like say nothing of a place that the release itself does not.
 */
export function mirrorPlaces(sources: readonly AptSource[]): MirrorPlace[] {
  const places = new Map<string, MirrorPlace>()
  for (const { uri, suite, components, ...rest } of sources) {
    const kind = kindOf(suite)
    if (kind === undefined) continue
    const key = `${kind} ${uri}`
    const known = places.get(key)
    places.set(key, {
      ...(known ?? { kind, uri, ...rest }),
      components: [...new Set([...(known?.components ?? []), ...components])],
    })
  }
  return [...places.values()]
}

/** `bullseye-security`, and `buster/updates` as it was called before; `bookworm` and `bookworm-updates`. */
function kindOf(suite: string): ArchiveKind | undefined {
  if (/^[a-z]+(?:-security|\/updates)$/.test(suite)) return 'security'
  return /^[a-z]+(?:-updates)?$/.test(suite) ? 'main' : undefined
}

/** A suite of a release: where it is below `dists`, and what its Release file must say. */
export interface AskedSuite {
  readonly path: string
  /** A mirror cannot pass off another suite of the same signer for it. */
  readonly codename: string
  readonly label: string
}

/** The suites of a release, each with the names that it may have, the present one first. */
interface SuiteNames {
  readonly security: readonly AskedSuite[]
  readonly release: readonly AskedSuite[]
  readonly updates: readonly AskedSuite[]
}

/** Up to buster the security archive had its suites elsewhere. */
export function suitesOf(codename: string): SuiteNames {
  const label = 'Debian-Security'
  const security = `${codename}-security`
  const updates = `${codename}-updates`
  return {
    security: [
      { path: security, codename: security, label },
      { path: `${codename}/updates`, codename, label },
    ],
    release: [{ path: codename, codename, label: 'Debian' }],
    updates: [{ path: updates, codename: updates, label: 'Debian' }],
  }
}
