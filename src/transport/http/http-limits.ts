/** Bounds of an HTTP client: every wait and every read has one. Times are milliseconds, sizes bytes. */
export interface HttpLimits {
  connectTimeout: number
  /** Until the first byte of an answer. */
  headersTimeout: number
  /** A body must deliver `minimumRate` bytes per second, measured over windows of this length. */
  stallWindow: number
  minimumRate: number
  redirects: number
  /** To one origin at the same time; a body that is not read to its end keeps one. Further requests wait. */
  connections: number
  /** All headers of one answer: some registries send tokens and policies of many kilobytes. */
  headerBytes: number
  /** As much of an error's body is read. */
  errorBytes: number
}

export const defaultHttpLimits: HttpLimits = {
  connectTimeout: 10_000,
  headersTimeout: 60_000,
  stallWindow: 30_000,
  minimumRate: 64,
  redirects: 10,
  connections: 16,
  headerBytes: 1024 * 1024,
  errorBytes: 16 * 1024,
}
