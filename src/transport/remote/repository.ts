import type { Clock, Log, OperationOptions } from '#base'
import type { ImageSource, ImageTarget, RegistryPlace } from '#image'
import type { Descriptor, Digest } from '#spec'
import type { CredentialSource } from '#transport/credentials'
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

export interface RemoteOptions {
  credentials: CredentialSource
  /** Accept an unverified certificate or plain http from this registry. Loopback hosts may always speak plain http. */
  insecure?: boolean
  /** More certificate authorities, PEM. */
  ca?: string[]
  /** Folders like /etc/docker/certs.d: `HOST:PORT/{*.crt,*.cert,*.key}` below them is used. */
  certificateFolders?: string[]
  /** Hosts to pull from before the registry itself, in order (`mirror.example:5000`). Never pushed to. */
  mirrors?: string[]
  proxy?: { http?: string; https?: string; noProxy?: string }
  userAgent?: string
  clock?: Clock
  limits?: Partial<RemoteLimits>
  log?: Log
}
