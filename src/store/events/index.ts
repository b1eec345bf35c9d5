/**
 * store/events: what happened to images, containers, networks and volumes. Promises: an event is written in the transaction
 * of the change that it describes, so one is never without the other; any process reads what every other wrote, in one
 * order; the table is bounded. Does not: know what an action means.
 */
export { createEvents, type Events, type FollowOptions } from './events.ts'
export { insertEvents } from './insert-events.ts'
export type { EventType, NewEvent, StoreEvent } from './store-event.ts'
