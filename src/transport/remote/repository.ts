import type { Clock, Log, OperationOptions } from '#base'
import type { ImageSource, ImageTarget, RegistryPlace } from '#image'
import type { Descriptor, Digest } from '#spec'
import type { CredentialSource } from '#transport/credentials'
import type { ProxySettings, TlsFiles } from '#transport/http'
import type { RemoteLimits } from './limits.ts'

/** A repository of a registry, opened: a source and a target of images, and what only registries can do. */
export interface Repository extends ImageSource, ImageTarget, RegistryPlace, AsyncDisposable {
  /** All tags, page by page, in the registry's order. */
  tags(options?: OperationOptions): AsyncIterable<string>
  /** Removes a manifest or index by digest, with all its tags. REGISTRY_REFUSED where the registry does not allow it. */
  deleteManifest(digest: Digest, options?: OperationOptions): Promise<void>
  /** Manifests whose subject is `digest`; the fallback tag is read where a registry has no referrers API. */
  referrers(digest: Digest, options?: OperationOptions & { artifactType?: string }): Promise<Descriptor[]>
}

export interface RemoteOptions extends TlsFiles {
  credentials: CredentialSource
  /** Accept an unverified certificate or plain http from this registry. Loopback hosts may always speak plain http. */
  insecure?: boolean
  /** Hosts to pull from before the registry itself, in order (`mirror.example:5000`). Never pushed to. */
  mirrors?: string[]
  proxy?: ProxySettings
  userAgent?: string
  clock?: Clock
  limits?: Partial<RemoteLimits>
  log?: Log
}
