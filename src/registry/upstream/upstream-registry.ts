import type { Clock, Log } from '#base'
import type { ConnectionSettings, RegistryAnswer, RemoteLimits, Repository } from '#transport'
import type { Observe } from '../operation/index.ts'
import { RemoteRegistry } from '../remote/index.ts'
import type { Upstream } from './upstream-settings.ts'

interface RegistryParts {
  clock: Clock
  log: Log
  observe: Observe
  connections: ConnectionSettings | undefined
}

/** A client waits meanwhile, and there may be something older to give it. */
const LIMITS: Partial<RemoteLimits> = {
  attempts: 3,
  longestDelay: 1000,
  longestRetryAfter: 1000,
  connectTimeout: 5000,
  headersTimeout: 7000,
  tagPages: 1000,
  tags: 100_000,
}

const REST = 30_000
const LONGEST_REST = 600_000

/** The client of one upstream. Disposing it ends its connections. */
export class UpstreamRegistry implements AsyncDisposable {
  readonly #upstream: Upstream
  readonly #parts: RegistryParts
  readonly #registry: RemoteRegistry
  #restsUntil = 0

  constructor(upstream: Upstream, parts: RegistryParts) {
    this.#upstream = upstream
    this.#parts = parts
    const { clock, log, connections } = parts
    const onAnswer = (answer: RegistryAnswer | undefined) => this.#tell(answer)
    this.#registry = new RemoteRegistry(upstream, { clock, log, connections, limits: LIMITS, onAnswer })
  }

  /** True shortly after it could not be asked: who has something to give meanwhile need not wait for that again. */
  get rests(): boolean {
    return this.#parts.clock.now() < this.#restsUntil
  }

  /** To be called when it could not be asked; `retryAfter` is what it wants, in milliseconds. */
  rest(retryAfter = REST): void {
    this.#restsUntil = this.#parts.clock.now() + Math.min(retryAfter, LONGEST_REST)
  }

  /** Works with a repository, by its name there. */
  use<T>(name: string, work: (repository: Repository) => Promise<T>): Promise<T> {
    return this.#registry.use(name, work)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#registry[Symbol.asyncDispose]()
  }

  #tell(answer: RegistryAnswer | undefined): void {
    const { observe } = this.#parts
    const upstream = this.#upstream.prefix
    observe({ kind: 'upstream-answered', upstream, status: answer?.status })
    // Docker Hub's: `76;w=21600`, pulls that are left and the seconds of their window.
    const remaining = /^\d{1,9}/.exec(answer?.headers['ratelimit-remaining'] ?? '')?.[0]
    if (remaining !== undefined) observe({ kind: 'upstream-limit', upstream, remaining: Number(remaining) })
  }
}
