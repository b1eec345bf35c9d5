import type { Clock, Log } from '#base'
import {
  type ConnectionSettings,
  noCredentials,
  openRepository,
  type RegistryAnswer,
  type RemoteLimits,
  type Repository,
} from '#transport'
import type { Observe } from '../operation/index.ts'
import { isTokenServiceOf } from './token-service.ts'
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

/** Repositories whose connections and tokens are kept. */
const MOST_OPEN = 64
const REST = 30_000
const LONGEST_REST = 600_000

/** The client of one upstream. Disposing it ends its connections. */
export class UpstreamRegistry implements AsyncDisposable {
  readonly #upstream: Upstream
  readonly #parts: RegistryParts
  readonly #open = new Map<string, { repository: Repository; users: number }>()
  #restsUntil = 0

  constructor(upstream: Upstream, parts: RegistryParts) {
    this.#upstream = upstream
    this.#parts = parts
  }

  /** True shortly after it could not be asked: who has something to give meanwhile need not wait for that again. */
  get rests(): boolean {
    return this.#parts.clock.now() < this.#restsUntil
  }

  /** To be called when it could not be asked; `retryAfter` is what it wants, in milliseconds. */
  rest(retryAfter = REST): void {
    this.#restsUntil = this.#parts.clock.now() + Math.min(retryAfter, LONGEST_REST)
  }

  /** Works with a repository, by its name there, which stays open until the work is done. */
  async use<T>(name: string, work: (repository: Repository) => Promise<T>): Promise<T> {
    const entry = this.#open.get(name) ?? { repository: this.#openRepository(name), users: 0 }
    // Last in the order of the map: what was used longest ago is closed first.
    this.#open.delete(name)
    this.#open.set(name, entry)
    entry.users++
    try {
      return await work(entry.repository)
    } finally {
      entry.users--
      await this.#closeSome()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { repository } of this.#open.values()) await repository[Symbol.asyncDispose]()
    this.#open.clear()
  }

  async #closeSome(): Promise<void> {
    if (this.#open.size <= MOST_OPEN) return
    const idle = [...this.#open].find(([, { users }]) => users === 0)
    if (!idle) return
    this.#open.delete(idle[0])
    await idle[1].repository[Symbol.asyncDispose]()
  }

  #openRepository(name: string): Repository {
    const { url, login, insecure, ca } = this.#upstream
    const { clock, log, connections } = this.#parts
    return openRepository(
      { registry: url.host, repository: name },
      {
        // Whatever the client calls it (Docker Hub has a name besides its hosts), it is this registry that asks for the login.
        credentials: login ? { get: async () => ({ kind: 'password', ...login }) } : noCredentials,
        location: { registry: url.host, base: url, insecure },
        insecure,
        ca: ca === undefined ? [] : [ca],
        isTokenService: (realm) => isTokenServiceOf(this.#upstream, realm),
        onAnswer: (answer) => this.#tell(answer),
        limits: LIMITS,
        ...{ clock, log },
        ...connections,
      },
    )
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
