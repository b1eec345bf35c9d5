import type { CreateNetworkOptions } from '#container'
import { type FilterPair, Filters, PRUNE_FILTERS } from '#docker'
import { FIXED_NETWORKS, fixedNetworkInspect, type NetworkInspect, networkInspect } from '#docker/views'
import { containerRecords } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'
import { pruneEvent } from './prune-event.ts'

/** How a container is connected to a network. */
export interface ConnectNetworkOptions {
  /** Additional names on this network. */
  aliases?: string[]
  /** Fixed addresses. */
  ipAddress?: string
  ipv6Address?: string
  /** The default route goes through the network with the highest one; 0 by default. */
  gatewayPriority?: number
  /** None is known so far. */
  driverOptions?: Record<string, string>
}

/** Containers that join it find each other by name. Nothing changes on the machine before the first one does. */
export async function createNetwork(context: EngineContext, request: CreateNetworkOptions): Promise<string> {
  const { networks } = await containerRecords(context)
  return (await networks.create(request)).id
}

export async function listNetworks(
  context: EngineContext,
  options: { filters?: readonly FilterPair[] } = {},
): Promise<NetworkInspect[]> {
  const fits = await networkFilter(context, options.filters ?? [])
  const { networks } = await containerRecords(context)
  const views = [
    ...(await networks.list()).map((network) => networkInspect(network, [])),
    ...FIXED_NETWORKS.map(fixedNetworkInspect),
  ]
  return views.filter(fits).sort((one, other) => (one.Name < other.Name ? -1 : 1))
}

export async function inspectNetwork(context: EngineContext, idOrName: string): Promise<NetworkInspect> {
  const fixed = FIXED_NETWORKS.find((one) => one.name === idOrName)
  if (fixed) return fixedNetworkInspect(fixed)
  const { networks } = await containerRecords(context)
  const network = await networks.find(idOrName)
  const containers = await networks.connected(network)
  const connected = containers.flatMap(({ id, name, document }) => {
    const connection = document.connections.find(({ networkId }) => networkId === network.id)
    return connection ? [{ id, name, connection }] : []
  })
  return networkInspect(network, connected)
}

/** Throws CONFLICT while containers are connected; predefined networks cannot be removed. */
export async function removeNetwork(
  context: EngineContext,
  idOrName: string,
  options: { force?: boolean } = {},
): Promise<string> {
  const { networks } = await containerRecords(context)
  return (await networks.remove(idOrName, options)) ? idOrName : ''
}

/** Networks that no container, running or not, uses. */
export async function pruneNetworks(
  context: EngineContext,
  options: { filters?: readonly FilterPair[] } = {},
): Promise<{ removed: string[] }> {
  const filters = new Filters(options.filters ?? [], PRUNE_FILTERS)
  const until = filters.until(context.clock.now())
  const { networks } = await containerRecords(context)
  const removed = await networks.prune(
    ({ created, document }) => (until === undefined || created <= until) && filters.matchesLabels(document.labels),
  )
  await (await context.store()).events.add([pruneEvent('network', 0)])
  return { removed }
}

const LIST_FILTERS = ['dangling', 'driver', 'id', 'label', 'label!', 'name', 'scope', 'type']

/** docker's filters of `network ls`. Throws INVALID_ARGUMENT. */
async function networkFilter(
  context: EngineContext,
  pairs: readonly FilterPair[],
): Promise<(network: NetworkInspect) => boolean> {
  const filters = new Filters(pairs, LIST_FILTERS)
  filters.closed('type', ['builtin', 'custom'])
  const dangling = filters.flag('dangling')
  const used = dangling === undefined ? undefined : await (await containerRecords(context)).networks.used()
  return (network) => {
    const isBuiltin = ['bridge', 'host', 'none'].includes(network.Name)
    const isUsed = isBuiltin || used?.has(network.Id) === true
    return (
      filters.isOneOf('driver', network.Driver) &&
      filters.matches('name', network.Name) &&
      filters.matches('id', network.Id) &&
      filters.matchesLabels(network.Labels) &&
      filters.isOneOf('scope', network.Scope) &&
      filters.isOneOf('type', isBuiltin ? 'builtin' : 'custom') &&
      (dangling === undefined || dangling !== isUsed)
    )
  }
}
