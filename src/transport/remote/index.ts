/**
 * transport/remote: registries that implement the distribution specification. Promises: credentials go only to the
 * registry they are for and to its token service, never over plain http except to this machine; downloads resume;
 * every read and wait is bounded. Does not: verify blobs (the target does), store anything.
 */
export { type DevicePrompt, loginByDevice } from './device-login.ts'
export { type FirstAdministrator, makeFirstAdministrator } from './first-administrator.ts'
export { defaultLimits, type RemoteLimits } from './limits.ts'
export { createMirroredSource } from './mirrored-source.ts'
export { checkLogin, openRepository } from './open-repository.ts'
export { type ApiAnswer, type ApiRequest, openRegistryApi, type RegistryApi } from './registry-api.ts'
export { listRepositories } from './repositories.ts'
export type { RegistryAnswer, RemoteOptions, RemotePlace, Repository } from './repository.ts'
