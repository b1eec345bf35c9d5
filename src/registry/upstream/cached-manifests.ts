import { BaleError, createSingleFlight, isBaleError } from '#base'
import type { RawManifest } from '#image'
import type { Digest } from '#spec'
import type { Repository } from '#transport'
import { describeManifest } from '../manifest/index.ts'
import type { CachedManifest } from '../meta/index.ts'
import { askUpstream } from './ask-upstream.ts'
import { actorOf, type CacheParts } from './cache-parts.ts'
import { isAway, isDown } from './upstream-failure.ts'
import type { UpstreamName } from './upstream-names.ts'

/** A manifest for a client. */
export interface ServedManifest extends Pick<CachedManifest, 'digest' | 'mediaType' | 'bytes'> {
  /** Never of one from an upstream: what was read along with one that was pushed here. */
  gate?: number
  /** Set when the upstream could not be asked: milliseconds since it was asked for the tag. */
  staleFor?: number
}

type Outcome = 'hit' | 'confirmed' | 'miss' | 'stale'
type Found = { manifest: CachedManifest; outcome: Outcome } | undefined

/** A pull is noted once in so many milliseconds, so that most pulls write nothing. */
const NOTED_EVERY = 3_600_000

/** Manifests of upstreams: from here where that is right, else fetched. Those who ask for the same at once wait for one request. */
export class CachedManifests {
  readonly #parts: CacheParts
  readonly #flight = createSingleFlight<string, Found>()

  constructor(parts: CacheParts) {
    this.#parts = parts
  }

  /** Undefined when the upstream has none; throws as `upstreamError`. */
  async find(name: UpstreamName, reference: { tag: string } | { digest: Digest }): Promise<ServedManifest | undefined> {
    const found = 'tag' in reference ? await this.#byTag(name, reference.tag) : await this.#byDigest(name, reference)
    if (!found) return undefined
    const { manifest, outcome } = found
    const { meta, observe } = this.#parts
    observe({ kind: 'cache-answered', upstream: name.upstream.prefix, what: 'manifest', outcome })
    if (manifest.pulledAgo !== undefined && manifest.pulledAgo >= NOTED_EVERY) {
      await meta.notePull(name.here, manifest.digest)
    }
    const { digest, mediaType, bytes, checkedAgo } = manifest
    return { digest, mediaType, bytes, staleFor: outcome === 'stale' ? checkedAgo : undefined }
  }

  async #byTag(name: UpstreamName, tag: string): Promise<Found> {
    const here = await this.#parts.meta.findCached(name.here, { tag })
    // What somebody set here is not the upstream's to change.
    const isFresh = here && (here.checkedAgo === undefined || here.checkedAgo < name.upstream.tagsFreshFor)
    if (isFresh) return { manifest: here, outcome: 'hit' }
    return await this.#flight(`${name.here}:${tag}`, () => this.#refresh(name, tag, here))
  }

  async #byDigest(name: UpstreamName, reference: { digest: Digest }): Promise<Found> {
    const { digest } = reference
    const here = await this.#parts.meta.findCached(name.here, reference)
    if (here) return { manifest: here, outcome: 'hit' }
    return await this.#flight(`${name.here}@${digest}`, () =>
      askUpstream(this.#parts, name, async (repository) => this.#take(name, await repository.resolve(digest), [])),
    )
  }

  /** Asks for a tag again, and takes what is here when the upstream cannot be asked. */
  async #refresh(name: UpstreamName, tag: string, here: CachedManifest | undefined): Promise<Found> {
    const registry = this.#parts.registryOf(name)
    const stale = here && (here.checkedAgo ?? 0) < name.upstream.tagsFreshFor + name.upstream.serveStaleFor
    if (stale && registry.rests) return { manifest: here, outcome: 'stale' }
    try {
      const found = await askUpstream(this.#parts, name, (repository) => this.#current(name, repository, { tag, here }))
      return found ?? (here && (await this.#forget(name, tag)))
    } catch (error) {
      if (!stale || !isDown(error)) throw error
      if (isAway(error)) registry.rest(error.details['retryAfter'] as number | undefined)
      this.#parts.report(
        new BaleError(error.code, `${error.message}; what was fetched before is served`, { cause: error }),
        `pulling ${name.here}:${tag}`,
      )
      return { manifest: here, outcome: 'stale' }
    }
  }

  /** A HEAD tells whether the tag moved: Docker Hub does not count it as a pull. */
  async #current(
    name: UpstreamName,
    repository: Repository,
    { tag, here }: { tag: string; here: CachedManifest | undefined },
  ): Promise<Found> {
    const { meta } = this.#parts
    const digest = here && (await repository.currentDigest(tag))
    if (here && digest === here.digest) {
      await meta.confirmCachedTag(name.here, tag)
      return { manifest: here, outcome: 'confirmed' }
    }
    const known = digest && (await meta.findCached(name.here, { digest }))
    if (!known) return await this.#take(name, await repository.resolve(tag), [tag])
    const { bytes, mediaType } = known
    return await this.#take(name, { bytes, descriptor: { digest, mediaType, size: bytes.byteLength } }, [tag])
  }

  /** Stores what came, as a push would be stored: verified, with its tag's history. */
  async #take(name: UpstreamName, { bytes, descriptor }: RawManifest, tags: string[]): Promise<Found> {
    const { meta } = this.#parts
    const { digest, mediaType: announced } = descriptor
    const manifest = describeManifest(bytes, { digest, announced, tags, actor: actorOf(name) })
    try {
      const objection = await meta.putCached(name.here, manifest)
      if (objection) throw new BaleError('INVALID_MANIFEST', `the manifest ${digest} gives a wrong size for a blob`)
    } catch (error) {
      const [tag] = tags
      if (tag === undefined || !isBaleError(error, 'TAG_IMMUTABLE')) throw error
      return await this.#pinned(name, tag, error)
    }
    return { manifest: { digest, mediaType: manifest.mediaType, bytes }, outcome: 'miss' }
  }

  /** The upstream has no such tag any more; its manifest can still be pulled by digest. */
  async #forget(name: UpstreamName, tag: string): Promise<Found> {
    try {
      await this.#parts.meta.deleteTag(name.here, tag, actorOf(name))
      return undefined
    } catch (error) {
      if (!isBaleError(error, 'TAG_IMMUTABLE')) throw error
      return await this.#pinned(name, tag, error)
    }
  }

  /** A policy keeps the tag where it is, whatever the upstream does with its own. */
  async #pinned(name: UpstreamName, tag: string, refused: BaleError): Promise<Found> {
    const { meta, report } = this.#parts
    report(new Error(`${name.upstream.prefix} has changed it, but ${refused.message}`), `pulling ${name.here}:${tag}`)
    await meta.confirmCachedTag(name.here, tag)
    const manifest = await meta.findCached(name.here, { tag })
    return manifest && { manifest, outcome: 'confirmed' }
  }
}
