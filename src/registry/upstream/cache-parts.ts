import type { Clock } from '#base'
import type { MetaStore } from '../meta/index.ts'
import type { ObjectStore, UnfinishedReader } from '../objects/index.ts'
import type { Observe } from '../operation/index.ts'
import type { Uploads } from '../uploads/index.ts'
import type { UpstreamName } from './upstream-names.ts'
import type { UpstreamRegistry } from './upstream-registry.ts'

/** What a cache works with. */
export interface CacheParts {
  meta: MetaStore
  objects: ObjectStore | (ObjectStore & UnfinishedReader)
  uploads: Uploads
  clock: Clock
  observe: Observe
  /** Tells the operator of what is not a client's fault. */
  report(failure: unknown, what: string): void
  /** Ends what is being fetched. */
  signal: AbortSignal
  registryOf(name: UpstreamName): UpstreamRegistry
}

/** Who fetched something, for histories and the audit log. No account is called so. */
export const actorOf = ({ upstream }: UpstreamName) => `upstream:${upstream.prefix}`
