/**
 * registry/workers: several processes of one machine that serve a registry at one address. Promises: limits of connections count
 * for all of them together; one that is killed is replaced, and costs a retry. Does not: share anything between them but what
 * the database and the directory have.
 */
export { serveByWorkers } from './serve-by-workers.ts'
