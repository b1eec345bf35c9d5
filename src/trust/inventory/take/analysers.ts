import type { Analyser } from '../analyser.ts'
import { executables, javaArchives } from '../binaries/index.ts'
import { apk, dpkg, osRelease, rpm } from '../distributions/index.ts'
import {
  composerInstalled,
  composerLockfile,
  dotnetDependencies,
  gemspec,
  npmLockfile,
  npmManifest,
  nugetLockfile,
  pnpmLockfile,
  pythonMetadata,
  sbom,
  yarnLockfile,
} from '../languages/index.ts'

/** Asked in this order; a file belongs to the first that wants it. */
export const ANALYSERS: readonly Analyser[] = [
  osRelease,
  dpkg,
  apk,
  rpm,
  npmManifest,
  npmLockfile,
  pnpmLockfile,
  yarnLockfile,
  pythonMetadata,
  gemspec,
  composerInstalled,
  composerLockfile,
  dotnetDependencies,
  nugetLockfile,
  sbom,
  javaArchives,
  executables,
]
