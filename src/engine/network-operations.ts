import type { CreateNetworkOptions } from '#container'
import type { FilterPair } from '#docker'
import type { NetworkInspect } from '#docker/views'
import type { EngineContext } from './context/context.ts'
import type { ConnectNetworkOptions } from './networks.ts'

/** Networks that containers join: bridges with addresses and names, in addition to docker's fixed `bridge`, `host` and `none`. */
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
   * Puts a container on one more network: at once when it runs, and at each start. Throws NETWORK_NOT_FOUND,
   * CONTAINER_NOT_FOUND, INVALID_ARGUMENT, and CONFLICT when it is on the network or its network mode allows no other.
   */
  async connect(network: string, container: string, options: ConnectNetworkOptions = {}): Promise<void> {
    const { networks } = await (await import('./container-machinery.ts')).containerMachinery(this.#context)
    await networks.connect(container, { ...options, network })
  }

  /** Takes a container off a network, at once when it runs; its other networks stay. Throws CONFLICT when it is not on it. */
  async disconnect(network: string, container: string): Promise<void> {
    const { networks } = await (await import('./container-machinery.ts')).containerMachinery(this.#context)
    await networks.disconnect(container, network)
  }

  /**
   * Removes a network and returns what it was called by, or '' when it does not exist and `force` is set. Throws CONFLICT while containers
   * are connected, DENIED for the predefined ones, NETWORK_NOT_FOUND.
   */
  async remove(idOrName: string, options?: { force?: boolean }): Promise<string> {
    return (await import('./networks.ts')).removeNetwork(this.#context, idOrName, options)
  }

  /** Removes the networks that no container, running or not, uses; `removed` lists their names. */
  async prune(options?: { filters?: readonly FilterPair[] }): Promise<{ removed: string[] }> {
    return (await import('./networks.ts')).pruneNetworks(this.#context, options)
  }
}
