/**
 * trust/advisories/adapters: the files of sources as streams of advisories. Promises: each source's own words become one
 * model, its ecosystems are named as OSV names them; input is hostile, so sizes, depths and counts are bounded and one malformed
 * record is skipped and counted, and never ends the rest. Does not: fetch anything, keep anything, judge which source is right.
 */
export { readAlpineSecdb } from './alpine-secdb.ts'
export { readDebianTracker } from './debian-tracker.ts'
export { baseEcosystem, osvKnows } from './osv/osv-ecosystems.ts'
export { isOsvFile, readOsv } from './osv/read-osv.ts'
export { readExploitProbabilities, readKnownExploited } from './overlays/read-overlays.ts'
export { openRecords } from './records/open-records.ts'
export { readRedHatVex } from './red-hat/read-red-hat-vex.ts'
export { isRubySecFile, readRubySec } from './rubysec/read-rubysec.ts'
export { createTally, type Tally } from './tally.ts'
