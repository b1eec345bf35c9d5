/**
 * trust/advisories/bundle: advisories of many sources in one SQLite file, which travels as an OCI artifact. Promises: the same
 * content gives the same bytes; a file is complete or not there; a file from outside is checked before it is used and nothing in
 * it can run; an older one, or one of another schema, never replaces one silently; sources that fail are named and leave the
 * rest. Does not: judge signatures, know images, choose between sources that contradict one another.
 */

export { bundleIn, type InstalledBundle, installBundle } from './artifact/install-bundle.ts'
export { pullBundle } from './artifact/pull-bundle.ts'
export { pushBundle } from './artifact/push-bundle.ts'
export type { AdvisoryPlace } from './build/advisory-place.ts'
export { type BuiltAdvisories, buildAdvisories } from './build/build-advisories.ts'
export { defaultPlaces } from './build/default-places.ts'
export type { AdvisoryBundle } from './file/bundle-file.ts'
export type { BundleInfo } from './file/bundle-info.ts'
export { openBundle } from './file/open-bundle.ts'
