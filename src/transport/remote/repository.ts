import type { Clock, Log, OperationOptions } from '#base'
import type { ImageSource, ImageTarget, RegistryPlace, TakesBlobsAhead } from '#image'
import type { Descriptor, Digest } from '#spec'
import type { CredentialSource } from '#transport/credentials'
import type { ProxySettings, TlsFiles } from '#transport/http'
import type { RemoteLimits } from './limits.ts'

/** A repository of a registry, opened: a source and a target of images, and what only registries can do. */
export interface Repository extends ImageSource, ImageTarget, TakesBlobsAhead, RegistryPlace, AsyncDisposable {
  /** All tags, page by page, in the registry's order. */
  tags(options?: OperationOptions): AsyncIterable<string>
  /** Removes a manifest or index by digest, with all its tags. REGISTRY_REFUSED where the registry does not allow it. */
  deleteManifest(digest: Digest, options?: OperationOptions): Promise<void>
  /**
   * Removes a tag, and not its manifest. MANIFEST_NOT_FOUND when there is none, REGISTRY_REFUSED where the registry removes
   * manifests alone.
   */
  deleteTag(tag: string, options?: OperationOptions): Promise<void>
  /**
   * The digest that a tag points to, without its manifest: registries that count pulls do not count this. Undefined when the
   * registry does not say, or has no such tag: a GET tells.
   */
  currentDigest(tag: string, options?: OperationOptions): Promise<Digest | undefined>
  /** Bytes of a blob that nothing here describes. BLOB_NOT_FOUND. */
  blobSize(digest: Digest, options?: OperationOptions): Promise<number>
  /** Manifests whose subject is `digest`; the fallback tag is read where a registry has no referrers API. */
  referrers(digest: Digest, options?: OperationOptions & { artifactType?: string }): Promise<Descriptor[]>
}

/** A place that holds a repository under another address than its name. */
export interface RemotePlace {
  /** Host with optional port; its logins and certificates count. */
  registry: string
  /** The repository's path there; by default as in the name. */
  repository?: string
  insecure?: boolean
  /** Scheme, host and perhaps a path that all requests begin with; found out by default. */
  base?: URL
}

/** What an answer of a registry says besides its body. */
export interface RegistryAnswer {
  status: number
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>
}

/** How a registry is reached: logins, certificates, mirrors, limits. */
export interface RemoteOptions extends TlsFiles {
  credentials: CredentialSource
  /** Accept an unverified certificate or plain http from this registry. Loopback hosts may always speak plain http. */
  insecure?: boolean
  /** Where the repository really is, when that is not what its name says. */
  location?: RemotePlace
  /** Places to pull from before the registry itself, in order. Never pushed to. */
  mirrors?: readonly RemotePlace[]
  proxy?: ProxySettings
  /**
   * Whether an address may be the registry's token service. By default each is that may be one by its kind: https, and not in a
   * private network unless the registry is.
   */
  isTokenService?: (address: URL) => boolean
  /** Told of every answer of the registry itself, and of a request without one. */
  onAnswer?: (answer: RegistryAnswer | undefined) => void
  clock?: Clock
  limits?: Partial<RemoteLimits>
  log?: Log
}
