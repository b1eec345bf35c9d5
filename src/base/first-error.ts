/** What went wrong first: when cleaning up after a failure failed as well, both come as one SuppressedError. */
export function firstError(thrown: unknown): unknown {
  return thrown instanceof SuppressedError ? firstError(thrown.suppressed) : thrown
}
