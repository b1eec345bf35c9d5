import { BaleError, isBaleError } from '#base'
import type { Container, CreateNetworkOptions, Network } from '#container'
import { type FilterPair, Filters, PRUNE_FILTERS } from '#docker'
import { containerRecords } from './container-machinery.ts'
import type { EngineContext } from './context.ts'
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

/** `none` and `host` are there without a record. */
const FIXED = [
  { name: 'host', driver: 'host' },
  { name: 'none', driver: 'null' },
]

/** Containers that join it find each other by name. Nothing changes on the machine before the first one does. */
export async function createNetwork(context: EngineContext, request: CreateNetworkOptions): Promise<string> {
  const [room, machinery] = await Promise.all([import('#container'), containerRecords(context)])
  if (request.name === room.DEFAULT_NETWORK)
    throw new BaleError('INVALID_ARGUMENT', `operation is not permitted on predefined ${request.name} network`)
  // The default network takes its range first, so that a name never depends on which came first.
  await theDefault(context)
  const identity = { id: room.newId(), created: context.clock.now() }
  return (await room.createNetwork(machinery.store, request, identity)).id
}

async function theDefault(context: EngineContext): Promise<Network> {
  const [room, machinery] = await Promise.all([import('#container'), containerRecords(context)])
  return room.defaultNetwork(machinery.store, () => ({ id: room.newId(), created: context.clock.now() }))
}

export async function listNetworks(
  context: EngineContext,
  options: { filters?: readonly FilterPair[] } = {},
): Promise<NetworkInspect[]> {
  const fits = await networkFilter(context, options.filters ?? [])
  const store = await context.store()
  await theDefault(context)
  const networks = (await store.networks.list()) as Network[]
  const views = [...networks.map((network) => view(network, [])), ...FIXED.map(fixedView)]
  return views.filter(fits).sort((one, other) => (one.Name < other.Name ? -1 : 1))
}

export async function inspectNetwork(context: EngineContext, idOrName: string): Promise<NetworkInspect> {
  const fixed = FIXED.find((one) => one.name === idOrName)
  if (fixed) return fixedView(fixed)
  const [room, machinery] = await Promise.all([import('#container'), containerRecords(context)])
  if (idOrName === room.DEFAULT_NETWORK) await theDefault(context)
  const network = await room.findNetwork(machinery.store, idOrName)
  const running = (await room.seeAll(machinery)).filter(({ status }) => status === 'running' || status === 'paused')
  return view(
    network,
    running.map(({ record }) => record),
  )
}

/** Throws CONFLICT while containers are connected; the networks that bale itself knows cannot be removed. */
export async function removeNetwork(
  context: EngineContext,
  idOrName: string,
  { force = false }: { force?: boolean } = {},
): Promise<string> {
  const [room, machinery] = await Promise.all([import('#container'), containerRecords(context)])
  if (idOrName === room.DEFAULT_NETWORK || FIXED.some((one) => one.name === idOrName))
    throw new BaleError('DENIED', `${idOrName} is a pre-defined network and cannot be removed`)
  const network = await findOrNothing(room.findNetwork(machinery.store, idOrName), force)
  if (!network) return ''
  if (network.name === room.DEFAULT_NETWORK)
    throw new BaleError('DENIED', `${network.name} is a pre-defined network and cannot be removed`)
  if (!(await machinery.networks.takeDown(network)))
    throw new BaleError(
      'CONFLICT',
      `error while removing network: network ${network.name} has active endpoints${await endpointsOf(context, network)}`,
      {
        hint: `see which: bale network inspect ${network.name}`,
      },
    )
  await machinery.store.networks.remove(network.id)
  return idOrName
}

async function findOrNothing(finding: Promise<Network>, force: boolean): Promise<Network | undefined> {
  try {
    return await finding
  } catch (error) {
    if (force && isBaleError(error, 'NETWORK_NOT_FOUND')) return undefined
    throw error
  }
}

/** ` (name:"web" id:"0123456789ab")`, as docker shows who is on a network. */
async function endpointsOf(context: EngineContext, network: Network): Promise<string> {
  const { Containers } = await inspectNetwork(context, network.id)
  const shown = Object.entries(Containers).map(([id, { Name }]) => `name:"${Name}" id:"${id.slice(0, 12)}"`)
  return shown.length ? ` (${shown.join(', ')})` : ''
}

/** Networks that no container, running or not, asks for. */
export async function pruneNetworks(
  context: EngineContext,
  options: { filters?: readonly FilterPair[] } = {},
): Promise<{ removed: string[] }> {
  const filters = new Filters(options.filters ?? [], PRUNE_FILTERS)
  const until = filters.until(context.clock.now())
  const [room, machinery] = await Promise.all([import('#container'), containerRecords(context)])
  const used = await usedNetworks(context)
  const removed: string[] = []
  for (const network of (await machinery.store.networks.list()) as Network[]) {
    if (until !== undefined && network.created > until) continue
    if (!filters.matchesLabels(network.document.labels)) continue
    if (network.name === room.DEFAULT_NETWORK || used.has(network.id)) continue
    if (await machinery.networks.takeDown(network)) {
      await machinery.store.networks.remove(network.id)
      removed.push(network.name)
    }
  }
  await room.takeDownIdleNetworks(machinery)
  return { removed }
}

/** IDs of the networks that containers, running or not, ask for: by name, or by as much of the ID as was typed. */
async function usedNetworks(context: EngineContext): Promise<Set<string>> {
  const [room, machinery] = await Promise.all([import('#container'), containerRecords(context)])
  const asked = (await room.seeAll(machinery)).map(({ record }) => record.document.host.network ?? room.DEFAULT_NETWORK)
  const found = await Promise.all([...new Set(asked)].map((name) => machinery.store.networks.find(name)))
  return new Set(found.flatMap((network) => (network ? [network.id] : [])))
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
  const used = dangling === undefined ? undefined : await usedNetworks(context)
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
  const connected = containers.flatMap(({ id, name, document: { connection } }) =>
    connection?.networkId === network.id
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
      : [],
  )
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
