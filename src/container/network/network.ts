import { BaleError, printable } from '#base'
import type { NetworkRecord, Store } from '#store'
import {
  contains,
  formatAddress,
  formatSubnet,
  gatewayOf,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
} from './address.ts'
import { freeSubnet, routedSubnets } from './subnet-pool.ts'

export const DEFAULT_NETWORK = 'bridge'
/** Names that stand for something else than a network of the store. */
export const RESERVED_NETWORKS = ['none', 'host', 'default', 'container']

/** What the store keeps of a network. */
export interface NetworkDocument {
  driver: 'bridge'
  /** Name of the bridge on the host. */
  interfaceName: string
  subnet: string
  gateway: string
  /** No way out. */
  internal: boolean
  /** Containers find each other by name (not on the default network, as with docker). */
  dns: boolean
  options: Record<string, string>
  labels: Record<string, string>
}

export type Network = NetworkRecord<NetworkDocument>

export interface CreateNetworkOptions {
  name: string
  driver?: string
  subnet?: string
  gateway?: string
  internal?: boolean
  /** `mtu`, `isolate` */
  options?: Record<string, string>
  labels?: Record<string, string>
}

const OPTIONS: Record<string, string> = { mtu: 'mtu', 'com.docker.network.driver.mtu': 'mtu', isolate: 'isolate' }

/** Adds a network to the store. Nothing changes on the machine until a container joins. */
export async function createNetwork(
  store: Pick<Store, 'networks'>,
  asked: CreateNetworkOptions,
  identity: { id: string; created: number },
): Promise<Network> {
  const { name } = asked
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name) || RESERVED_NETWORKS.includes(name))
    throw new BaleError('INVALID_ARGUMENT', `invalid network name: ${printable(name)}`)
  if (asked.driver && asked.driver !== 'bridge')
    throw new BaleError('UNSUPPORTED', `network driver ${printable(asked.driver)} is not supported`, {
      hint: 'bridge is the only one so far',
    })
  const known = await store.networks.list<NetworkDocument>()
  if (known.some((network) => network.name === name))
    throw new BaleError('CONFLICT', `network with name ${name} already exists`)
  const subnet = chooseSubnet(asked, known)
  const gateway = asked.gateway ?? gatewayOf(subnet)
  const gatewayNumber = parseAddress(gateway)
  if (gatewayNumber === undefined || !contains(subnet, gatewayNumber))
    throw new BaleError(
      'INVALID_ARGUMENT',
      `gateway ${printable(gateway)} is not an address of ${formatSubnet(subnet)}`,
    )
  const network: Network = {
    ...identity,
    name,
    document: {
      driver: 'bridge',
      interfaceName: `bale-${identity.id.slice(0, 8)}`,
      subnet: formatSubnet(subnet),
      gateway: formatAddress(gatewayNumber),
      internal: asked.internal ?? false,
      dns: name !== DEFAULT_NETWORK,
      options: networkOptions(asked.options ?? {}),
      labels: asked.labels ?? {},
    },
  }
  await store.networks.add<NetworkDocument>(network)
  return network
}

function chooseSubnet(asked: CreateNetworkOptions, known: readonly Network[]): Subnet {
  const taken = known.map((network) => parseSubnet(network.document.subnet))
  if (asked.subnet === undefined)
    return freeSubnet(asked.name === DEFAULT_NETWORK ? 'large' : 'small', [...taken, ...routedSubnets()])
  const subnet = parseSubnet(asked.subnet)
  const clash = taken.findIndex((other) => overlaps(other, subnet))
  if (clash >= 0)
    throw new BaleError('CONFLICT', `Pool overlaps with other one on this address space: ${known[clash]!.name}`)
  return subnet
}

function networkOptions(options: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => {
      const known = OPTIONS[key]
      if (!known || !/^[a-z0-9]+$/.test(value))
        throw new BaleError('INVALID_ARGUMENT', `unsupported network option: ${printable(`${key}=${value}`)}`)
      return [known, value]
    }),
  )
}

/** The default network, made when it is asked for the first time. */
export async function defaultNetwork(
  store: Pick<Store, 'networks'>,
  identity: () => { id: string; created: number },
): Promise<Network> {
  const find = () => store.networks.find<NetworkDocument>(DEFAULT_NETWORK)
  const known = await find()
  if (known) return known
  try {
    return await createNetwork(store, { name: DEFAULT_NETWORK }, identity())
  } catch (error) {
    // Another process may have been first.
    const made = await find()
    if (made) return made
    throw error
  }
}

export async function findNetwork(store: Pick<Store, 'networks'>, name: string): Promise<Network> {
  const network = await store.networks.find<NetworkDocument>(name)
  if (network) return network
  throw new BaleError('NETWORK_NOT_FOUND', `network ${printable(name)} not found`, { hint: 'see: bale network ls' })
}
