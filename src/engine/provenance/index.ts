/**
 * provenance: what a build that has ended says of itself, from what was asked, what it took from elsewhere and what it did.
 * Promises: no secret, no login of an address and no directory of the one who builds is in it; with SOURCE_DATE_EPOCH the same
 * build says the same. Does not: build, write documents.
 */
export { accountingMachine, type BuildAccount } from './build-account.ts'
export { provenanceFacts } from './provenance-facts.ts'
