import { type Clock, isBaleError } from '#base'
import { type Collected, type CollectOptions, collectInTurn } from './collect.ts'
import type { MetaStore } from './meta/index.ts'
import type { ObjectStore } from './objects/index.ts'
import type { Observe } from './operation/index.ts'
import type { UpstreamSettings } from './upstream/index.ts'

interface CollectionParts {
  meta: MetaStore
  objects: ObjectStore
  /** Runs work that frees space, even on a full disk. */
  whenFull?<T>(work: () => Promise<T>): Promise<T>
  /** Called after each collection that was done. */
  afterCollection?(): void
}

/** A collection, also on a full disk. */
export async function collectWhenFull(
  { meta, objects, whenFull = (work) => work(), afterCollection }: CollectionParts,
  how: CollectOptions,
): Promise<Collected> {
  const collected = await whenFull(() => collectInTurn({ meta, objects }, how))
  afterCollection?.()
  return collected
}

/** A collection whose outcome is told. */
export async function tellOutcome(
  { observe, clock }: { observe: Observe | undefined; clock: Clock },
  collecting: () => Promise<Collected>,
): Promise<Collected> {
  try {
    const collected = await collecting()
    observe?.({ kind: 'collection-ended', outcome: 'done', bytes: collected.bytes, time: clock.now() })
    return collected
  } catch (error) {
    observe?.({ kind: 'collection-ended', outcome: isBaleError(error, 'LOCKED') ? 'elsewhere' : 'failed' })
    throw error
  }
}

/** What is known of upstreams where they are not asked. */
export interface KnownUpstreams {
  upstreams?: readonly Pick<UpstreamSettings, 'prefix' | 'cacheFor'>[]
}

/** What collections remove of what came from upstreams. */
export function unpulledOf({ upstreams = [] }: KnownUpstreams): CollectOptions['unpulled'] {
  return upstreams.flatMap(({ prefix, cacheFor }) =>
    cacheFor === undefined ? [] : [{ below: prefix, unpulledFor: cacheFor }],
  )
}

/** Names below which nothing is this registry's own. */
export const prefixesOf = ({ upstreams = [] }: KnownUpstreams): string[] => upstreams.map(({ prefix }) => prefix)
