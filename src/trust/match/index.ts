/**
 * trust/match: inventory × advisories → findings. Promises: pure; three answers for each package and each image, so that
 * "none known" is never said of what was not looked at. Does not: read images or fetch advisories.
 */
export { createMatcher, matchInventory } from './match-inventory.ts'
export type { Finding, PackageStatus, ScanResult, ScanStatus, Suppression } from './model.ts'
