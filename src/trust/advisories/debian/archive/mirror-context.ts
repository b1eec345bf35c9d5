import type { Clock } from '#base'
import type { Fetcher } from '#transport'
import type { KeyPlaces } from './keyrings.ts'

/** What all that is read from mirrors for one release has in common. */
export interface MirrorContext {
  /** Undefined: nothing is fetched, only what was kept is used. */
  readonly fetcher: Fetcher | undefined
  /** For what is kept. */
  readonly directory: string
  readonly clock: Clock
  readonly codename: string
  /** `12`. */
  readonly version: string
  /** As Debian calls it: `amd64`, `arm64`, `armhf`. */
  readonly architecture: string
  /** Milliseconds for which a kept index is used without asking a mirror. */
  readonly maximumAge: number
  readonly allowUnsigned: boolean
  readonly allowExpired: boolean
  readonly keyPlaces: KeyPlaces
  /** Path of the program. */
  readonly gpgv: string
  readonly signal: AbortSignal | undefined
}
