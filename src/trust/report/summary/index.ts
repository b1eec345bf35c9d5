/**
 * trust/report/summary: the figures of a scan, for what shows more than a list. Promises: pure; loads nothing that documents are
 * made with, since each scan needs the figures. Does not: phrase or format anything.
 */
export { packageIndex } from './package-index.ts'
export { stepOf } from './step.ts'
export { type ScanSummary, summary, WORST_FIRST, type WorstFinding, worstFindings } from './summary.ts'
