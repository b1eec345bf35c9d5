import type { Clock } from '#base'
import type { Rows } from '#store/rows'
import { insertEvents } from './insert-events.ts'
import type { NewEvent, StoreEvent } from './store-event.ts'

export interface FollowOptions {
  /** Follow from here; what is newer comes first. Now by default. */
  after?: number
  /** Milliseconds since 1970: ends then. Never by default. */
  until?: number
  /** Ends the iteration, without an error. */
  signal?: AbortSignal
}

export interface Events {
  /** Writes events that belong to no change of a row. They survive a crash of this process, but maybe no power cut. */
  add(events: readonly NewEvent[]): Promise<void>
  /** The number of the newest event; 0 when there was none. */
  latest(): Promise<number>
  /** What came after the event `seq`, oldest first; 0 for all that is kept. */
  since(seq: number): Promise<StoreEvent[]>
  /** What any process writes, as it comes. */
  follow(options?: FollowOptions): AsyncIterable<StoreEvent>
}

/** Milliseconds between two polls, each an indexed lookup of some microseconds. */
const LOOK_EVERY = 50

export function createEvents(rows: Rows): Events {
  const { database, clock } = rows
  return {
    async add(events) {
      database.unsynced(() => insertEvents(rows, events))
    },
    latest: async () => latest(rows),
    since: async (seq) => read(rows, seq),
    follow: (options = {}) => follow(rows, clock, options),
  }
}

interface EventRow {
  seq: number
  time: number
  type: StoreEvent['type']
  action: string
  actor: string
  attributes: string
}

function latest({ database }: Rows): number {
  return database.get<{ seq: number | null }>('SELECT max(seq) AS seq FROM events')?.seq ?? 0
}

function read({ database }: Rows, seq: number): StoreEvent[] {
  return database
    .all<EventRow>('SELECT * FROM events WHERE seq > ? ORDER BY seq', seq)
    .map((row) => ({ ...row, attributes: JSON.parse(row.attributes) as Record<string, string> }))
}

async function* follow(rows: Rows, clock: Clock, options: FollowOptions): AsyncGenerator<StoreEvent> {
  const { until = Number.POSITIVE_INFINITY, signal } = options
  let last = options.after ?? latest(rows)
  for (;;) {
    // Checked before the poll, so that everything written until then is still read.
    const over = clock.now() >= until
    for (const event of read(rows, last)) {
      if (event.time > until || signal?.aborted) return
      last = event.seq
      yield event
    }
    if (over || signal?.aborted) return
    await pause(Math.min(LOOK_EVERY, Math.max(0, until - clock.now())), signal)
  }
}

/** Ends early when `signal` is aborted. */
async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  const stop = () => resolve()
  signal?.addEventListener('abort', stop, { once: true })
  await promise
  clearTimeout(timer)
  signal?.removeEventListener('abort', stop)
}
