/** Bounds of a registry client: every wait and every read has one. Times are milliseconds, sizes bytes. */
export interface RemoteLimits {
  /** Tries of one request before a temporary failure is final. */
  attempts: number
  /** The first pause between tries; it doubles up to `longestDelay`. */
  firstDelay: number
  longestDelay: number
  /** A Retry-After above this is not waited for. */
  longestRetryAfter: number
  connectTimeout: number
  /** Until the first byte of an answer. */
  headersTimeout: number
  /** A body must bring `minimumRate` bytes per second, looked at over windows of this length. */
  stallWindow: number
  minimumRate: number
  redirects: number
  manifestBytes: number
  /** Answers of token services, tag pages. */
  documentBytes: number
  /** As much of an error's body is read. */
  errorBytes: number
  tagPages: number
}

export const defaultLimits: RemoteLimits = {
  attempts: 5,
  firstDelay: 250,
  longestDelay: 8_000,
  longestRetryAfter: 60_000,
  connectTimeout: 10_000,
  headersTimeout: 60_000,
  stallWindow: 30_000,
  minimumRate: 64,
  redirects: 5,
  manifestBytes: 4 * 1024 * 1024,
  documentBytes: 1024 * 1024,
  errorBytes: 16 * 1024,
  tagPages: 1_000,
}
