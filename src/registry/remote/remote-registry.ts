import type { Clock, Log } from '#base'
import {
  type ConnectionSettings,
  listRepositories,
  noCredentials,
  openRepository,
  type RemoteLimits,
  type RemoteOptions,
  type Repository,
} from '#transport'
import { isTokenServiceOf, type TokenServiceRule } from './token-service.ts'

/** Where another registry is, and how it is reached. */
export interface RemotePlace extends TokenServiceRule {
  /** Sent to this host and its token service alone. */
  login: { username: string; password: string } | undefined
  /** Certificate authorities (PEM) besides the machine's. */
  ca: string | undefined
}

interface RemoteParts {
  clock: Clock
  log: Log
  connections: ConnectionSettings | undefined
  limits: Partial<RemoteLimits>
  /** Told of every answer, and of a request without one. */
  onAnswer?: RemoteOptions['onAnswer']
}

/** Repositories whose connections and tokens are kept. */
const MOST_OPEN = 64

/** The client of one registry that the operator has configured. Disposing it ends its connections. */
export class RemoteRegistry implements AsyncDisposable {
  readonly #place: RemotePlace
  readonly #parts: RemoteParts
  readonly #open = new Map<string, { repository: Repository; users: number }>()

  constructor(place: RemotePlace, parts: RemoteParts) {
    this.#place = place
    this.#parts = parts
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

  /** Names of all repositories that the registry shows, page by page. */
  repositories(options: { signal?: AbortSignal } = {}): AsyncIterable<string> {
    return listRepositories(this.#place.url.host, { ...this.#options(), ...options })
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
    return openRepository({ registry: this.#place.url.host, repository: name }, this.#options())
  }

  #options(): RemoteOptions {
    const { url, login, insecure, ca } = this.#place
    const { connections, ...parts } = this.#parts
    return {
      // Whatever the client calls it (Docker Hub has a name besides its hosts), it is this registry that asks for the login.
      credentials: login ? { get: async () => ({ kind: 'password', ...login }) } : noCredentials,
      location: { registry: url.host, base: url, insecure },
      insecure,
      ca: ca === undefined ? [] : [ca],
      isTokenService: (realm) => isTokenServiceOf(this.#place, realm),
      ...parts,
      ...connections,
    }
  }
}
