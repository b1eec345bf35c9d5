import { defaultHttpLimits, type HttpLimits } from '#transport/http'

/** Bounds of a registry client: every wait and every read has one. Times are milliseconds, sizes bytes. */
export interface RemoteLimits extends HttpLimits {
  /** Tries of one request before a temporary failure is final. */
  attempts: number
  /** The first pause between tries; it doubles up to `longestDelay`. */
  firstDelay: number
  longestDelay: number
  /** A Retry-After above this is not waited for. */
  longestRetryAfter: number
  manifestBytes: number
  /** Answers of token services, lists of referrers. */
  documentBytes: number
  /** One answer of the tags list: some registries know no pages. */
  tagPageBytes: number
  tagPages: number
  /** All tags of a repository. */
  tags: number
}

/** The limits of a registry client that nothing else sets. Times are milliseconds, sizes bytes. */
export const defaultLimits: RemoteLimits = {
  ...defaultHttpLimits,
  attempts: 5,
  firstDelay: 250,
  longestDelay: 8_000,
  longestRetryAfter: 60_000,
  manifestBytes: 4 * 1024 * 1024,
  documentBytes: 1024 * 1024,
  tagPageBytes: 64 * 1024 * 1024,
  tagPages: 100_000,
  tags: 5_000_000,
}
