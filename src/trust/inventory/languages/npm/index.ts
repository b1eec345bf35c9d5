/**
 * Analysers of npm packages: installed ones by their manifests, and the lockfiles of npm, yarn and pnpm. Promises: text is read
 * in one pass, in time linear in its length. Does not: read what a package contains, or ask a registry.
 */
export { npmLockfile } from './npm-lockfile.ts'
export { npmManifest } from './npm-manifest.ts'
export { pnpmLockfile } from './pnpm-lockfile.ts'
export { yarnLockfile } from './yarn-lockfile.ts'
