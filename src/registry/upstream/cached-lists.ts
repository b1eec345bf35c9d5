import type { Clock } from '#base'
import type { Descriptor, Digest } from '#spec'
import type { Repository } from '#transport'
import type { Page } from '../meta/index.ts'
import { askUpstream } from './ask-upstream.ts'
import type { CacheParts } from './cache-parts.ts'
import { isAway, isDown } from './upstream-failure.ts'
import type { UpstreamName } from './upstream-names.ts'

type ReferrersPage = Required<Page> & { bytes: number; artifactType?: string }

/** How long a list is taken to be what it was, at most. */
const FRESH_FOR = 60_000

/** Lists of tags and of referrers: the upstream's, and when it cannot be asked what is known here. */
export class CachedLists {
  readonly #parts: CacheParts
  readonly #tags: Remembered<readonly string[]>
  readonly #referrers: Remembered<readonly Descriptor[]>

  constructor(parts: CacheParts) {
    this.#parts = parts
    this.#tags = new Remembered(parts.clock)
    this.#referrers = new Remembered(parts.clock)
  }

  /** A page in byte order, as `listTags`. Undefined when there is no such repository. */
  async tags(name: UpstreamName, page: Required<Page>): Promise<string[] | undefined> {
    const { meta } = this.#parts
    const listed = await this.#listed(name, this.#tags, name.here, (repository) => sorted(repository.tags()))
    if (listed === 'here') return await meta.listTags(name.here, page)
    return listed?.filter((tag) => tag > page.last).slice(0, page.limit)
  }

  /** A page by digest, as `listReferrers`. */
  async referrers(name: UpstreamName, subject: Digest, page: ReferrersPage) {
    const list = async (repository: Repository) => byDigest(await repository.referrers(subject))
    const listed = await this.#listed(name, this.#referrers, `${name.here}@${subject}`, list)
    return listed === 'here'
      ? await this.#parts.meta.listReferrers(name.here, subject, page)
      : pageOf(listed ?? [], page)
  }

  async #listed<T>(
    name: UpstreamName,
    remembered: Remembered<readonly T[]>,
    key: string,
    list: (repository: Repository) => Promise<readonly T[]>,
  ): Promise<readonly T[] | undefined | 'here'> {
    const known = remembered.get(key)
    if (known) return known
    const registry = this.#parts.registryOf(name)
    if (registry.rests) return 'here'
    try {
      const listed = await askUpstream(this.#parts, name, list)
      if (!listed) return undefined
      remembered.add(key, listed, Math.min(FRESH_FOR, name.upstream.tagsFreshFor))
      return listed
    } catch (error) {
      if (!isDown(error)) throw error
      if (isAway(error)) registry.rest(error.details['retryAfter'] as number | undefined)
      this.#parts.report(error, `listing ${key}`)
      return 'here'
    }
  }
}

async function sorted(tags: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const tag of tags) all.push(tag)
  return all.sort()
}

function byDigest(descriptors: readonly Descriptor[]): Descriptor[] {
  return descriptors.toSorted((a, b) => (a.digest < b.digest ? -1 : 1))
}

function pageOf(
  all: readonly Descriptor[],
  { last, limit, bytes, artifactType }: ReferrersPage,
): { descriptors: Descriptor[]; more: boolean } {
  const descriptors: Descriptor[] = []
  let size = 0
  for (const one of all) {
    if (one.digest <= last || (artifactType !== undefined && one.artifactType !== artifactType)) continue
    size += JSON.stringify(one).length
    if (descriptors.length === limit || (size > bytes && descriptors.length > 0)) return { descriptors, more: true }
    descriptors.push(one)
  }
  return { descriptors, more: false }
}

const MOST_LISTS = 100
const MOST_ENTRIES = 10_000

/** Lists that were asked for lately, unless they are very long. */
class Remembered<T extends readonly unknown[]> {
  readonly #lists = new Map<string, { list: T; until: number }>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(key: string): T | undefined {
    const known = this.#lists.get(key)
    return known && this.#clock.now() < known.until ? known.list : undefined
  }

  add(key: string, list: T, freshFor: number): void {
    this.#lists.delete(key)
    if (list.length > MOST_ENTRIES) return
    this.#lists.set(key, { list, until: this.#clock.now() + freshFor })
    const oldest = this.#lists.keys().next()
    if (this.#lists.size > MOST_LISTS && !oldest.done) this.#lists.delete(oldest.value)
  }
}
