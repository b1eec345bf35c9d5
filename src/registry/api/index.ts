/**
 * registry/api: the administration of a registry by HTTP. Promises: one table of operations, of which handler, description and
 * client are made; what a schema does not know is refused by name; rights are judged by registry/auth. Does not: serve HTTP
 * (http does), load its schemas before the first request.
 */
export type { Administration } from './administration.ts'
export type { CollectionRequest, CollectionResult } from './collection.ts'
export type { ApiConnection, RemoteAdmin } from './connection.ts'
export { apiDocument, loadServing, openRemoteAdmin } from './load.ts'
export type { ApiSchema, DescribedOperation, OpenApi } from './openapi.ts'
export type { Caller, Self } from './operation.ts'
export { type Problem, problemOf, problemOfStatus } from './problem.ts'
