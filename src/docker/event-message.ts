/** An event as docker's `/events` and `docker events` write it. Source: moby, api/types/events. */
export interface EventMessage {
  /** As `Action`, of containers and images; older programs read it. */
  status?: string
  /** As `Actor.ID`, of containers and images. */
  id?: string
  /** The image of a container. */
  from?: string
  Type: string
  Action: string
  Actor: { ID: string; Attributes: Record<string, string> }
  scope: 'local'
  /** Seconds since 1970. */
  time: number
  /** Nanoseconds since 1970, to the millisecond. */
  timeNano: number
}

interface EventFacts {
  type: string
  action: string
  /** ID or name of the thing. */
  actor: string
  attributes: Readonly<Record<string, string>>
  /** Milliseconds since 1970. */
  time: number
}

/** docker's message about an event. */
export function eventMessage({ type, action, actor, attributes, time }: EventFacts): EventMessage {
  const old = type === 'container' || type === 'image' ? { status: action, id: actor } : {}
  const from = type === 'container' && attributes['image'] ? { from: attributes['image'] } : {}
  const sorted = Object.entries(attributes).sort(([one], [other]) => (one < other ? -1 : 1))
  return {
    ...old,
    ...from,
    Type: type,
    Action: action,
    Actor: { ID: actor, Attributes: Object.fromEntries(sorted) },
    scope: 'local',
    time: Math.floor(time / 1000),
    // Exact in JSON: sixteen digits are enough to distinguish two milliseconds, and JavaScript pads with zeros.
    timeNano: time * 1_000_000,
  }
}
