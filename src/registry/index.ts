/**
 * registry: an OCI distribution server, embedded form: one process, SQLite for what is known, files for bytes.
 * Promises: all end points of distribution-spec 1.1; an acknowledged push survives power loss; access is denied by default;
 * collection runs alongside pushes. Does not: run containers, know the local store.
 */
export type { AnonymousAccess, User, Users } from './auth/index.ts'
export type { BackedUp, BackupOptions } from './backup.ts'
export type { Checked, CheckOptions, Damage } from './check.ts'
export type { Collected, CollectOptions } from './collect.ts'
export type { Role } from './meta/index.ts'
export {
  createRegistry,
  openRegistryAdmin,
  type Registry,
  type RegistryAdmin,
  type RegistryOptions,
} from './registry.ts'
export { type ServedRegistry, type ServeOptions, serveRegistry } from './serve.ts'
