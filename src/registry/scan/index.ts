/**
 * registry/scan: what is inside images, and what is known of it. Promises: the content of an image is read by a process that has
 * no access to the registry, and whose answer is checked; each image is scanned once, by one of all processes; all images are
 * matched with new advisories. Does not: judge whether an image is given out, or know how it is reported.
 */
export { openScanner } from './open-scanner.ts'
export {
  decodeInventory,
  decodeResult,
  scanFactsOf,
  storedFindingKeys,
} from './scan-record.ts'
export { LEAST_SCAN_MEMORY, SCAN_DEFAULTS, type ScanningSettings } from './scan-settings.ts'
