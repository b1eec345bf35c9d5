/**
 * Analysers of what interpreted languages and .NET put into an image: packages as npm, pip, RubyGems, composer and NuGet
 * installed them, lockfiles, and bills of materials. Promises: nothing is evaluated; work and memory are bounded by the size of
 * a file; a damaged file throws INVALID_ARGUMENT or LIMIT_EXCEEDED, in words without its path. Does not: decide whether what
 * a lockfile lists is installed (`installsInto` of its analyser says where that would be).
 */
export { composerInstalled, composerLockfile } from './composer.ts'
export { dotnetDependencies, nugetLockfile } from './dotnet.ts'
export { gemspec } from './gemspec.ts'
export { npmLockfile, npmManifest, pnpmLockfile, yarnLockfile } from './npm/index.ts'
export { pythonMetadata } from './python/index.ts'
export { sbom } from './sbom/index.ts'
