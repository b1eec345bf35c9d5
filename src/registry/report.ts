import { asError, type Clock, firstError } from '#base'

/** Tells the operator of what is the registry's own fault. */
export type Report = (failure: Error, request: string) => void

const QUIET = 60_000
const MOST_KINDS = 1000

/**
 * A disk that is full fails every request: the same failure is told once a minute, with the number of those that were
 * not told. What failed first is told, not what failed while cleaning up after it.
 */
export function reportOnce(report: Report, clock: Clock): (failure: unknown, request: string) => void {
  const told = new Map<string, { at: number; more: number }>()
  return (failure, request) => {
    const error = asError(firstError(failure))
    const before = told.get(error.message)
    if (before && clock.now() - before.at < QUIET) {
      before.more++
      return
    }
    told.delete(error.message)
    if (told.size >= MOST_KINDS) told.clear()
    told.set(error.message, { at: clock.now(), more: 0 })
    const more = before?.more ? ` (and ${before.more} more like this before)` : ''
    report(more ? new Error(`${error.message}${more}`, { cause: error }) : error, request)
  }
}
