/**
 * registry/scan: what is inside images, and what is known of it. Promises: whatever an image has in it is read by a process that has
 * nothing of the registry, and what that says is checked; each image is scanned once, by one of all processes; new
 * advisories reach all images. Does not: judge whether an image is given out, or know how it is reported.
 */
export { openScanner } from './open-scanner.ts'
export {
  decodeInventory,
  decodeResult,
  scanFactsOf,
  storedFindingKeys,
} from './scan-record.ts'
export type { ScanningSettings } from './scan-settings.ts'
