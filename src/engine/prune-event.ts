import type { EventType, NewEvent } from '#store'

/** The end of a prune, with the bytes that it freed. */
export function pruneEvent(type: EventType, freed: number): NewEvent {
  return { type, action: 'prune', actor: '', attributes: { reclaimed: `${freed}` } }
}
