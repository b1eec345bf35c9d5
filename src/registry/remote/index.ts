/**
 * registry/remote: the client of other registries that the operator has configured: upstreams, and ends of replication. Promises: a
 * login goes to its registry and its token service alone. Does not: retry for long, or know what it is asked for.
 */
export { registryUrl } from './registry-url.ts'
export { type RemotePlace, RemoteRegistry } from './remote-registry.ts'
export { isHubHost } from './token-service.ts'
