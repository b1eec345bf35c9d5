import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { BaleError, printable } from '#base'
import { predefinedNetwork } from '#docker'
import { networkNameTaken } from '#store/records'
import { type CreateNetworkOptions, DEFAULT_NETWORK, type Network, type NetworkDocument } from '../model/index.ts'
import type { Records } from '../records/index.ts'
import {
  contains,
  containsSubnet,
  formatAddress,
  formatSubnet,
  gatewayOf,
  isHostAddress,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
} from './address.ts'
import { bridgeSettings } from './bridge-options.ts'
import {
  contains6,
  formatAddress6,
  formatSubnet6,
  overlaps6,
  parseAddress6,
  parseSubnet6,
  uniqueLocalSubnet,
} from './ipv6-address.ts'
import { freeSubnet, routedSubnets } from './subnet-pool.ts'

/** Names that do not refer to a network of the store. */
const RESERVED_NETWORKS = ['none', 'host', 'default']

/** Adds a network to the store. Nothing changes on the machine until a container joins. */
export async function createNetwork(
  store: Pick<Records, 'networks'>,
  asked: CreateNetworkOptions,
  identity: { id: string; created: number },
): Promise<Network> {
  const { name } = asked
  if (RESERVED_NETWORKS.includes(name)) throw predefinedNetwork(name)
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) throw invalid(`invalid network name: ${printable(name)}`)
  assertDriver(asked.driver ?? 'bridge')
  const known = await store.networks.list()
  if (known.some((network) => network.name === name)) throw networkNameTaken(name)
  const addresses = chooseAddresses(asked, known)
  const ipv6 = chooseIpv6(asked, known, identity.id)
  const options = asked.options ?? {}
  const network: Network = {
    ...identity,
    name,
    document: {
      driver: 'bridge',
      interfaceName: freeInterface(bridgeSettings(options).name, known) ?? `bale-${identity.id.slice(0, 8)}`,
      ...addresses,
      ...(ipv6 && { ipv6 }),
      internal: asked.internal ?? false,
      dns: name !== DEFAULT_NETWORK,
      ...(asked.attachable && { attachable: true }),
      options,
      labels: asked.labels ?? {},
    },
  }
  await store.networks.add(network)
  return network
}

function assertDriver(driver: string): void {
  if (driver === 'bridge') return
  if (driver === 'host' || driver === 'null') throw conflict(`only one instance of "${driver}" network is allowed`)
  throw new BaleError('UNSUPPORTED', `network driver ${printable(driver)} is not supported`, {
    hint: 'only bridge is supported',
  })
}

/** The subnets of one family; the rest of an address plan belongs to the first. */
function ofFamily(words: readonly string[] | undefined, family: 4 | 6): string[] {
  return (words ?? []).filter((word) => (word.includes(':') ? 6 : 4) === family)
}

type Addresses = Pick<NetworkDocument, 'subnet' | 'gateway' | 'ipRange' | 'auxiliary'>

function chooseAddresses(asked: CreateNetworkOptions, known: readonly Network[]): Addresses {
  const [wanted, ...more] = ofFamily(asked.subnets, 4)
  const [givenGateway, ...moreGateways] = ofFamily(asked.gateways, 4)
  if (more.length > 0) throw invalid("bridge driver doesn't support multiple subnets")
  if (moreGateways.length > 0) throw invalid('cannot configure multiple gateways on the same network')
  const auxiliary = Object.entries(asked.auxiliary ?? {})
  if (wanted === undefined && (givenGateway !== undefined || asked.ipRange !== undefined || auxiliary.length > 0))
    throw invalid('every ip-range or gateway must have a corresponding subnet')
  const subnet = chooseSubnet(asked.name, wanted, known)
  const shown = formatSubnet(subnet)
  const range = asked.ipRange === undefined ? undefined : parseSubnet(asked.ipRange, 32)
  if (range && !containsSubnet(subnet, range)) throw invalid(`no matching subnet for range ${asked.ipRange}`)
  const gateway = givenGateway ?? gatewayOf(subnet)
  const gatewayNumber = parseAddress(gateway)
  if (gatewayNumber === undefined || !contains(subnet, gatewayNumber))
    throw invalid(`no matching subnet for gateway ${printable(gateway)}: it is not an address of ${shown}`)
  if (!isHostAddress(subnet, gatewayNumber)) throw invalid(`gateway ${gateway} is not a host address in ${shown}`)
  for (const [name, address] of auxiliary)
    if (!isHostAddress(subnet, parseAddress(address) ?? -1))
      throw invalid(`no matching subnet for aux-address ${printable(`${name}=${address}`)}`)
  return {
    subnet: shown,
    gateway: formatAddress(gatewayNumber),
    ...(range && { ipRange: formatSubnet(range) }),
    ...(auxiliary.length > 0 && { auxiliary: Object.fromEntries(auxiliary) }),
  }
}

function chooseSubnet(name: string, wanted: string | undefined, known: readonly Network[]): Subnet {
  const taken = known.map((network) => parseSubnet(network.document.subnet))
  if (wanted === undefined)
    return freeSubnet(name === DEFAULT_NETWORK ? 'large' : 'small', [...taken, ...routedSubnets()])
  const subnet = parseSubnet(wanted)
  const clash = taken.findIndex((other) => overlaps(other, subnet))
  if (clash >= 0) throw conflict(`Pool overlaps with other one on this address space: ${known[clash]!.name}`)
  return subnet
}

function chooseIpv6(asked: CreateNetworkOptions, known: readonly Network[], id: string): NetworkDocument['ipv6'] {
  const [wanted, ...more] = ofFamily(asked.subnets, 6)
  const [givenGateway] = ofFamily(asked.gateways, 6)
  if (!asked.ipv6) {
    if (wanted === undefined && givenGateway === undefined) return undefined
    throw invalid(`IPv6 ${wanted ?? givenGateway} is given for a network without IPv6`)
  }
  if (more.length > 0) throw invalid("bridge driver doesn't support multiple subnets")
  if (wanted === undefined && givenGateway !== undefined)
    throw invalid('every ip-range or gateway must have a corresponding subnet')
  const subnet = wanted === undefined ? uniqueLocalSubnet(id) : parseSubnet6(wanted)
  const clash = known.find(({ document: { ipv6 } }) => ipv6 && overlaps6(parseSubnet6(ipv6.subnet), subnet))
  if (clash) throw conflict(`Pool overlaps with other one on this address space: ${clash.name}`)
  const gateway = givenGateway === undefined ? subnet.base + 1n : parseAddress6(givenGateway)
  if (gateway === undefined || isIP(givenGateway ?? '::') !== 6 || !contains6(subnet, gateway))
    throw invalid(`no matching subnet for gateway ${printable(givenGateway ?? '')}`)
  return { subnet: formatSubnet6(subnet), gateway: formatAddress6(gateway) }
}

/** A bridge with a chosen name must not exist already: it would be removed with the network. */
function freeInterface(name: string | undefined, known: readonly Network[]): string | undefined {
  if (name === undefined) return undefined
  const user = known.find((network) => network.document.interfaceName === name)
  if (user) throw conflict(`bridge ${name} belongs to network ${user.name}`)
  if (existsSync(`/sys/class/net/${name}`)) throw conflict(`the machine already has an interface ${name}`)
  return name
}

const invalid = (message: string) => new BaleError('INVALID_ARGUMENT', message)
const conflict = (message: string) => new BaleError('CONFLICT', message)

/** The default network, created at its first use. */
export async function defaultNetwork(
  store: Pick<Records, 'networks'>,
  identity: () => { id: string; created: number },
): Promise<Network> {
  const find = () => store.networks.find(DEFAULT_NETWORK)
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

export async function findNetwork(store: Pick<Records, 'networks'>, name: string): Promise<Network> {
  const network = await store.networks.find(name)
  if (network) return network
  throw new BaleError('NETWORK_NOT_FOUND', `network ${printable(name)} not found`, { next: { act: 'list-networks' } })
}
