import type { EventType, NewEvent } from '#store'

/** That a prune is over, and what it freed (bytes). */
export function pruneEvent(type: EventType, freed: number): NewEvent {
  return { type, action: 'prune', actor: '', attributes: { reclaimed: `${freed}` } }
}
