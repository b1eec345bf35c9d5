/**
 * registry/move: a registry from one place to another while it is served. Promises: what was acknowledged is in the new place; what
 * is there has the digest it should have; it may be broken off and begun again at any time. Does not: serve either of them.
 */
export { moveRegistry } from './move-registry.ts'
export type { Moved, MoveOptions } from './moved.ts'
