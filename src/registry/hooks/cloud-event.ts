import type { TakenDelivery } from '../meta/index.ts'

/** What a receiver gets, the same at each attempt. Source: CloudEvents 1.0.2, JSON event format, and its extension `sequence`. */
export function cloudEventOf({ id, eventId, action, target, data, at }: TakenDelivery, source: string): string {
  return JSON.stringify({
    specversion: '1.0',
    id: eventId,
    source,
    type: `bale.registry.${action}`,
    subject: target,
    time: new Date(at).toISOString(),
    sequence: String(id).padStart(16, '0'),
    datacontenttype: 'application/json',
    data,
  })
}
