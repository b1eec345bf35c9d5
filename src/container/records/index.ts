/**
 * records: containers, networks and volumes as the store keeps them: parsed, and brought to the form of today, when they are
 * read.
 */

export { networkRequests } from './network-requests.ts'
export { openRecords, type Records } from './open-records.ts'
export { recordKinds } from './record-kinds.ts'
