import { type Clock, type Log, noLog } from '#base'
import type { Digest } from '#spec'
import type { ConnectionSettings } from '#transport'
import type { MetaStore, Page } from '../meta/index.ts'
import type { ObjectStore } from '../objects/index.ts'
import type { Observe } from '../operation/index.ts'
import type { Uploads } from '../uploads/index.ts'
import { CachedBlobs } from './cached-blobs.ts'
import { CachedLists } from './cached-lists.ts'
import { CachedManifests, type ServedManifest } from './cached-manifests.ts'
import type { GrowingBlob } from './growing-blob.ts'
import { checkAllowed, findUpstream, nameBelow } from './upstream-names.ts'
import { UpstreamRegistry } from './upstream-registry.ts'
import { checkedUpstream, checkTogether, type Upstream, type UpstreamSettings } from './upstream-settings.ts'

/** Registries that repositories of this one come from. */
export interface Upstreams extends AsyncDisposable {
  /** The repository of a name below an upstream's prefix; undefined for one of this registry itself. */
  find(repository: string): CachedRepository | undefined
  /** What a repository is called here whose path at the registry of that name (`docker.io`) is given. Undefined for another registry's. */
  named(namespace: string, path: string): string | undefined
  /** What a repository is called here that clients of a mirror ask for; undefined when this registry mirrors none. */
  mirrored(path: string): string | undefined
}

/** A repository of an upstream, and what of it is here. Failures of the upstream are errors that name it, with `details.upstream`. */
export interface CachedRepository {
  /** `docker.io/library/debian`, also when it was asked for as `docker.io/debian`. */
  readonly name: string
  /** `docker.io` */
  readonly upstream: string
  /** Throws MANIFEST_NOT_FOUND when nothing may come from there, whatever is here. To be called first. */
  checkAllowed(): void
  manifest(reference: { tag: string } | { digest: Digest }): Promise<ServedManifest | undefined>
  /** Fetches a blob that is not here. `stored`: it has come meanwhile. Undefined when the upstream has none. */
  bring(digest: Digest): Promise<GrowingBlob | 'stored' | undefined>
  /** Of a blob that is not here. */
  blobSize(digest: Digest): Promise<number | undefined>
  listTags(page: Required<Page>): ReturnType<MetaStore['listTags']>
  listReferrers(
    subject: Digest,
    page: Required<Page> & { bytes: number; artifactType?: string },
  ): ReturnType<MetaStore['listReferrers']>
}

interface UpstreamsParts {
  upstreams: readonly UpstreamSettings[]
  /** The prefix of the upstream that repositories come from that are not here and are not below a prefix. */
  mirror?: string
  connections?: ConnectionSettings
  meta: MetaStore
  objects: ObjectStore
  uploads: Uploads
  clock: Clock
  log?: Log
  observe?: Observe
  report(failure: unknown, what: string): void
}

/** Throws INVALID_ARGUMENT for upstreams that cannot be. Nothing is asked before the first pull. */
export function createUpstreams(parts: UpstreamsParts): Upstreams {
  const { mirror, connections, clock, log = noLog, observe = () => undefined } = parts
  const upstreams = parts.upstreams.map(checkedUpstream)
  checkTogether(upstreams, mirror)
  const registries = new Map<Upstream, UpstreamRegistry>()
  for (const one of upstreams) registries.set(one, new UpstreamRegistry(one, { clock, log, observe, connections }))
  const stopping = new AbortController()
  const shared = { ...parts, observe, signal: stopping.signal }
  const cache = { ...shared, registryOf: ({ upstream }: { upstream: Upstream }) => registries.get(upstream)! }
  const manifests = new CachedManifests(cache)
  const blobs = new CachedBlobs(cache)
  const lists = new CachedLists(cache)
  return {
    find(repository) {
      const name = findUpstream(upstreams, repository)
      if (!name) return undefined
      return {
        name: name.here,
        upstream: name.upstream.prefix,
        checkAllowed: () => checkAllowed(name),
        manifest: (reference) => manifests.find(name, reference),
        bring: (digest) => blobs.bring(name, digest),
        blobSize: (digest) => blobs.size(name, digest),
        listTags: (page) => lists.tags(name, page),
        listReferrers: (subject, page) => lists.referrers(name, subject, page),
      }
    },
    named(namespace, path) {
      const upstream = upstreams.find((one) => one.namespaces.includes(namespace))
      return upstream && nameBelow(upstreams, upstream.prefix, path)
    },
    mirrored: (path) => (mirror === undefined ? undefined : nameBelow(upstreams, mirror, path)),
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await blobs.settled()
      for (const registry of registries.values()) await registry[Symbol.asyncDispose]()
    },
  }
}
