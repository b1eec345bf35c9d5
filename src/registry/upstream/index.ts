/**
 * registry/upstream: repositories that come from other registries, and stay here once they were pulled. Promises: what an upstream gives is
 * verified before it is stored, and before a client has all of it; its login goes to it and its token service alone; many who
 * ask at once make one request; when it cannot be asked, what is here is served. Does not: judge rights, or know HTTP.
 */
export type { ServedManifest } from './cached-manifests.ts'
export type { UpstreamSettings } from './upstream-settings.ts'
export { type CachedRepository, createUpstreams, type Upstreams } from './upstreams.ts'
