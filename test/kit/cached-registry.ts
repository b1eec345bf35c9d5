/** A registry and another one that is its cache, with a proxy between them that counts and breaks what a test wants. */
import { systemClock } from '#base'
import type { RegistryEvent, ServeOptions, UpstreamSettings } from '#registry'
import { type CuttingProxy, cuttingProxy } from './cutting-proxy.ts'
import { type Answer, startRegistry, type TestRegistry } from './registry-client.ts'

export interface CachedRegistry extends AsyncDisposable {
  upstream: TestRegistry
  /** Between both: what the upstream is asked, and what goes wrong. */
  way: CuttingProxy
  cache: TestRegistry
  reports: string[]
  events: RegistryEvent[]
  /** Lets so many milliseconds pass for the cache. */
  pass(milliseconds: number): void
  /** Method and path, without `/v2/`, of what the upstream was asked since the last look. */
  asked(): string[]
  get(path: string, headers?: Record<string, string>): Promise<Answer>
}

export interface CacheOptions extends Partial<UpstreamSettings> {
  /** Of the cache. */
  serve?: Partial<ServeOptions>
  /** Of the upstream. */
  upstream?: Partial<ServeOptions>
}

/** A registry, and one that is its cache below `docker.io`, which everybody may pull. */
export async function cachedRegistry({
  serve,
  upstream: own,
  ...settings
}: CacheOptions = {}): Promise<CachedRegistry> {
  await using opened = new AsyncDisposableStack()
  const upstream = opened.use(await startRegistry(own))
  const way = opened.use(await cuttingProxy(`http://${upstream.address}`))
  const [reports, events]: [string[], RegistryEvent[]] = [[], []]
  const time = { passed: 0 }
  const cache = opened.use(
    await startRegistry({
      anonymous: 'pull',
      ...serve,
      upstreams: [{ prefix: 'docker.io', url: way.url, ...settings }],
      clock: { ...systemClock, now: () => Date.now() + time.passed },
      report: (failure) => reports.push(failure.message),
      observe: (event) => events.push(event),
    }),
  )
  const parts = opened.move()
  let seen = 0
  return {
    ...{ upstream, way, cache, reports, events },
    pass: (milliseconds) => {
      time.passed += milliseconds
    },
    asked() {
      const news = way.seen.slice(seen)
      seen = way.seen.length
      return news.map((line) => line.replace(' /v2/', ' '))
    },
    get: (path, headers) => cache.request('GET', path, { headers }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
