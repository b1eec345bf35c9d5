/** The type of object an event is about, in docker's terms. */
export type EventType = 'container' | 'image' | 'network' | 'volume' | 'builder'

/** Something that happened, before it is written. */
export interface NewEvent {
  type: EventType
  /** docker's word: `create`, `die`, `exec_start: sh -c ls`. */
  action: string
  /** ID or name of the thing. */
  actor: string
  attributes: Readonly<Record<string, string>>
}

export interface StoreEvent extends NewEvent {
  /** Grows with each event, over all processes; never given twice. */
  seq: number
  /** Milliseconds since 1970. */
  time: number
}
