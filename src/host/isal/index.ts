/**
 * host/isal: Intel's ISA-L, which inflates and deflates in a fraction of zlib's time (Debian: libisal2). Promises: it is
 * optional, found at fixed places only, and used only after it has passed a trial; native code gets memory that stays where it
 * is for as long as a call runs, with room behind it. Does not: know gzip's headers and trailers, or when to use it.
 */
export { openIsal } from './open-isal.ts'
