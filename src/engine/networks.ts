import type { Container, CreateNetworkOptions, Network } from '#container'
import { type FilterPair, Filters, PRUNE_FILTERS } from '#docker'
import { containerRecords } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'
import { goTimeOf } from './views/go-time.ts'

interface AddressPlan {
  Subnet: string
  IPRange?: string
  Gateway: string
  AuxiliaryAddresses?: Record<string, string>
}

/** docker's JSON of a network. */
export interface NetworkInspect {
  Name: string
  Id: string
  Created: string
  Scope: 'local'
  Driver: string
  EnableIPv6: boolean
  IPAM: { Driver: string; Options: Record<string, string> | null; Config: AddressPlan[] }
  Internal: boolean
  Attachable: boolean
  Ingress: boolean
  ConfigFrom: { Network: string }
  ConfigOnly: boolean
  Containers: Record<
    string,
    { Name: string; EndpointID: string; MacAddress: string; IPv4Address: string; IPv6Address: string }
  >
  Options: Record<string, string>
  Labels: Record<string, string>
}

/** What a container is on a network that it is put on. */
export interface ConnectNetworkOptions {
  /** Further names there. */
  aliases?: string[]
  /** Fixed addresses. */
  ipAddress?: string
  ipv6Address?: string
  /** The default route goes through the network with the highest one; 0 by default. */
  gatewayPriority?: number
  /** None is known so far. */
  driverOptions?: Record<string, string>
}

/** `none` and `host` are there without a record. */
const FIXED = [
  { name: 'host', driver: 'host' },
  { name: 'none', driver: 'null' },
]

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
  const views = [...(await networks.list()).map((network) => view(network, [])), ...FIXED.map(fixedView)]
  return views.filter(fits).sort((one, other) => (one.Name < other.Name ? -1 : 1))
}

export async function inspectNetwork(context: EngineContext, idOrName: string): Promise<NetworkInspect> {
  const fixed = FIXED.find((one) => one.name === idOrName)
  if (fixed) return fixedView(fixed)
  const { networks } = await containerRecords(context)
  const network = await networks.find(idOrName)
  return view(network, await networks.connected(network))
}

/** Throws CONFLICT while containers are connected; the networks that bale itself knows cannot be removed. */
export async function removeNetwork(
  context: EngineContext,
  idOrName: string,
  options: { force?: boolean } = {},
): Promise<string> {
  const { networks } = await containerRecords(context)
  return (await networks.remove(idOrName, options)) ? idOrName : ''
}

/** Networks that no container, running or not, asks for. */
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

function view(network: Network, containers: readonly Container[]): NetworkInspect {
  const { document } = network
  const connected = containers.flatMap(({ id, name, document }) => {
    const connection = document.connections.find(({ networkId }) => networkId === network.id)
    return connection
      ? [
          [
            id,
            {
              Name: name,
              EndpointID: id,
              MacAddress: connection.mac,
              IPv4Address: `${connection.address}/${connection.prefix}`,
              IPv6Address: connection.ipv6 ? `${connection.ipv6.address}/${connection.ipv6.prefix}` : '',
            },
          ] as const,
        ]
      : []
  })
  return {
    Name: network.name,
    Id: network.id,
    Created: goTimeOf(network.created),
    Scope: 'local',
    Driver: document.driver,
    EnableIPv6: document.ipv6 !== undefined,
    IPAM: { Driver: 'default', Options: {}, Config: addressPlans(document) },
    Internal: document.internal,
    Attachable: document.attachable ?? false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(connected),
    Options: document.options,
    Labels: document.labels,
  }
}

function addressPlans({ subnet, gateway, ipRange, auxiliary, ipv6 }: Network['document']): AddressPlan[] {
  return [
    {
      Subnet: subnet,
      ...(ipRange !== undefined && { IPRange: ipRange }),
      Gateway: gateway,
      ...(auxiliary && { AuxiliaryAddresses: auxiliary }),
    },
    ...(ipv6 ? [{ Subnet: ipv6.subnet, Gateway: ipv6.gateway }] : []),
  ]
}

function fixedView({ name, driver }: (typeof FIXED)[number]): NetworkInspect {
  return {
    Name: name,
    Id: name.padEnd(64, '0').replace(/[^0-9a-f]/g, '0'),
    Created: goTimeOf(0),
    Scope: 'local',
    Driver: driver,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: [] },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: {},
  }
}
