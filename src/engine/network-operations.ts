import type { CreateNetworkOptions } from '#container'
import type { FilterPair } from '#docker'
import type { EngineContext } from './context/context.ts'
import type { NetworkInspect } from './networks.ts'

/** Networks that containers join: bridges with addresses and names, beside docker's fixed `bridge`, `host` and `none`. */
export class NetworkOperations {
  readonly #context: EngineContext

  constructor(context: EngineContext) {
    this.#context = context
  }

  /**
   * Makes a network whose containers find each other by name, and returns its ID. Without a subnet a free one is taken.
   * Nothing changes on the machine before the first container joins. Throws CONFLICT when the name is taken.
   */
  async create(options: CreateNetworkOptions): Promise<string> {
    return (await import('./networks.ts')).createNetwork(this.#context, options)
  }

  /** docker's JSON of all networks, sorted by name. Filters: dangling, driver, id, label, label!, name, scope, type. */
  async list(options?: { filters?: readonly FilterPair[] }): Promise<NetworkInspect[]> {
    return (await import('./networks.ts')).listNetworks(this.#context, options)
  }

  /** docker's JSON of one network, with the running containers that are connected to it. Throws NETWORK_NOT_FOUND. */
  async inspect(idOrName: string): Promise<NetworkInspect> {
    return (await import('./networks.ts')).inspectNetwork(this.#context, idOrName)
  }

  /**
   * Removes a network and returns what it was called by, or '' when it does not exist and `force` is set. Throws CONFLICT while containers
   * are connected, DENIED for the predefined ones, NETWORK_NOT_FOUND.
   */
  async remove(idOrName: string, options?: { force?: boolean }): Promise<string> {
    return (await import('./networks.ts')).removeNetwork(this.#context, idOrName, options)
  }

  /** Removes the networks that no container, running or not, asks for; `removed` are their names. */
  async prune(options?: { filters?: readonly FilterPair[] }): Promise<{ removed: string[] }> {
    return (await import('./networks.ts')).pruneNetworks(this.#context, options)
  }
}
