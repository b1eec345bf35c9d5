/**
 * provenance: the facts of a finished build: what was asked, what it took from elsewhere and what it did. Promises: there is no
 * secret, no login of an address and no directory of the caller's machine in them; with SOURCE_DATE_EPOCH the same build has
 * the same facts. Does not: build, write documents.
 */
export { accountingMachine, type BuildAccount } from './build-account.ts'
export { provenanceFacts } from './provenance-facts.ts'
