/** registry/manifest: what the registry must know of a manifest, out of its bytes. The same for a push and for an import. */
export { describeManifest, isForeign } from './describe-manifest.ts'
