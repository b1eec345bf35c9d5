/**
 * host/sqlite: one SQLite file, shared by any number of processes. Promises: what a transaction wrote survives power loss;
 * a file of a newer schema is refused, one of an older schema is migrated once; errors are BaleErrors. Nothing native but
 * Node's own SQLite is loaded. Does not: know tables, nor what rows mean.
 */
export { openSqlite } from './open-sqlite.ts'
export type { Sqlite } from './sqlite.ts'
