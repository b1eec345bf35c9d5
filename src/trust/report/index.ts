/**
 * trust/report: what a scan found, for people and programs. Promises: pure; the same result gives the same document; what an
 * image says is never taken for markup, a link or a line of its own; suppressed findings stay visible. Does not: scan, decide which
 * findings count (`suppress`), count them (`summary`), phrase messages of commands, write files.
 */
export { cycloneDxWithVulnerabilities } from './cyclonedx-vulnerabilities.ts'
export { htmlReport } from './html/html-report.ts'
export { sarif } from './sarif.ts'
export { scanDocument } from './scan-document.ts'
