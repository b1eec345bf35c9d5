/**
 * trust/report: what a scan found, for people and programs, and which findings do not count. Promises: pure; the same result gives
 * the same document; what an image says is never taken for markup, a link or a line of its own; suppressed findings stay visible.
 * Does not: scan, phrase messages of commands, write files.
 */
export { cycloneDxWithVulnerabilities } from './cyclonedx-vulnerabilities.ts'
export { htmlReport } from './html/html-report.ts'
export { sarif } from './sarif.ts'
export { scanDocument } from './scan-document.ts'
export { type ScanSummary, summary } from './summary/index.ts'
export { parseIgnoreFile } from './suppress/ignore-file.ts'
export { suppress } from './suppress/suppress.ts'
export { parseVex } from './suppress/vex.ts'
