import { type EventMessage, eventFilter, eventMessage, type FilterPair, millisecondsOf } from '#docker'
import type { EngineContext } from './context/context.ts'

/** Which events are shown. */
export interface EventsOptions {
  /** Nanoseconds since 1970: earlier events from then on come first. By default only new events. */
  since?: bigint
  /** Nanoseconds since 1970: the end. Never by default. */
  until?: bigint
  /** container, daemon, event, image, label, network, plugin, scope, type, volume */
  filters?: readonly FilterPair[]
  /** Ends the events, without an error. */
  signal?: AbortSignal
}

/** Events of all processes on this store, earlier ones and new ones. Filters are checked at once: INVALID_ARGUMENT. */
export async function events(
  context: EngineContext,
  { since, until, filters = [], signal }: EventsOptions = {},
): Promise<AsyncIterable<EventMessage>> {
  const isWanted = eventFilter(filters)
  const { events: written } = await context.store()
  const after = since === undefined ? await written.latest() : 0
  const from = since === undefined ? undefined : millisecondsOf(since)
  const end = until === undefined ? undefined : millisecondsOf(until)
  return (async function* () {
    for await (const event of written.follow({ after, until: end, signal })) {
      if (from !== undefined && event.time < from) continue
      const message = eventMessage(event)
      if (isWanted(message)) yield message
    }
  })()
}
