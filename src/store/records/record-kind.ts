import { insertEvents, type NewEvent } from '#store/events'
import type { Rows } from '#store/rows'

/** What the owner of a kind of record knows about it. */
export interface RecordKind<R> {
  /**
   * The events of a change, in order; written in the change's transaction. Undefined before: the record is
   * new; undefined after: it is gone. Must be quick and pure.
   */
  events(before: R | undefined, after: R | undefined): NewEvent[]
  /** True for a record that a restart of the machine would remove: changes to it need not reach the disk at once. */
  passing?(record: R): boolean
}

/** Writes what a change of a record means, as part of the caller's transaction. */
export function announce<R>(rows: Rows, kind: RecordKind<R> | undefined, before?: R, after?: R): void {
  if (kind) insertEvents(rows, kind.events(before, after))
}
