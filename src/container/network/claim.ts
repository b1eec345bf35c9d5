import { BaleError, printable } from '#base'
import type { Connection, Network, NetworkDocument, NetworkRequest, PortRequest } from '../model/index.ts'
import { contains, hostAddresses, isHostAddress, parseAddress, parseSubnet } from './address.ts'
import { bridgeSettings } from './bridge-options.ts'
import { contains6, formatAddress6, parseAddress6, parseSubnet6 } from './ipv6-address.ts'
import { macOf } from './netavark-request.ts'
import { lockNetwork, type NetworkParts } from './parts.ts'
import { claimPorts } from './published-ports.ts'
import { settleRange } from './settle-range.ts'

export interface ClaimRequest {
  /** Container ID, or another owner of the same form. */
  owner: string
  network: Network
  /** `eth0` by default. */
  interfaceName?: string
  ports?: readonly PortRequest[]
  aliases?: readonly string[]
  /** The requested options: fixed addresses and the like. */
  wish?: Omit<NetworkRequest, 'network' | 'aliases'>
  /** The host's address for ports that name none. */
  publishAddress?: string
}

/** Addresses, MAC and ports for a container on one network, claimed in the store. All or nothing. */
export async function claimConnection(parts: NetworkParts, request: ClaimRequest): Promise<Connection> {
  const { store } = parts
  const { owner, wish = {} } = request
  await using _ = await lockNetwork(parts, request.network.id)
  const network = await settleRange(parts, request.network)
  try {
    const address = await claimAddress(parts, owner, network, wish)
    const connection = connectionOf(network, request, address, await claimIpv6(parts, owner, network, wish, address))
    return { ...connection, ports: await claimPublished(parts, network, request) }
  } catch (error) {
    await store.addresses.release(owner, network.id)
    throw error
  }
}

type Wish = NonNullable<ClaimRequest['wish']>

async function claimAddress({ store }: NetworkParts, owner: string, network: Network, wish: Wish): Promise<string> {
  const taken = new Set((await store.addresses.list(network.id)).map(({ address }) => address))
  const isFree = (address: string) => !taken.has(derivedIpv6(network.document, address)?.address ?? '')
  const candidates =
    wish.ipAddress === undefined ? freeAddresses(network, isFree) : [assertFits(network, wish.ipAddress)]
  return store.addresses.allocate({ network: network.id, owner, candidates })
}

function connectionOf(
  network: Network,
  { interfaceName = 'eth0', aliases = [], wish = {} }: ClaimRequest,
  address: string,
  ipv6: Connection['ipv6'],
): Omit<Connection, 'ports'> {
  const { document } = network
  return {
    networkId: network.id,
    networkName: network.name,
    interfaceName,
    ...(wish.gatewayPriority !== undefined && { gatewayPriority: wish.gatewayPriority }),
    address,
    prefix: parseSubnet(document.subnet).prefix,
    gateway: document.gateway,
    ...(ipv6 && { ipv6 }),
    mac: wish.macAddress?.toLowerCase() ?? macOf(address),
    aliases: [...aliases],
    dns: document.dns,
    internal: document.internal,
  }
}

async function claimPublished(
  { store }: NetworkParts,
  { document }: Network,
  { owner, ports = [], publishAddress = '0.0.0.0' }: ClaimRequest,
): Promise<Connection['ports']> {
  if (document.internal) return []
  return claimPorts(store, owner, ports, {
    address: bridgeSettings(document.options).publishAddress ?? publishAddress,
    ipv6: document.ipv6 !== undefined,
  })
}

function reservedOn({ document: { gateway, auxiliary = {} } }: Network): string[] {
  return [gateway, ...Object.values(auxiliary)]
}

function* freeAddresses(network: Network, isFree: (address: string) => boolean): Generator<string> {
  const { subnet, ipRange } = network.document
  const reserved = new Set(reservedOn(network))
  for (const address of hostAddresses(parseSubnet(subnet), parseSubnet(ipRange ?? subnet, 32)))
    if (!reserved.has(address) && isFree(address)) yield address
}

/** A requested address; docker's message if it is not possible. */
function assertFits(network: Network, address: string): string {
  const subnet = parseSubnet(network.document.subnet)
  const number = parseAddress(address)
  if (number === undefined || !contains(subnet, number)) throw foreign(network, address, network.document.subnet)
  if (!isHostAddress(subnet, number) || reservedOn(network).includes(address)) throw inUse(address)
  return address
}

function foreign({ name }: Network, address: string, subnet: string): BaleError {
  return new BaleError(
    'INVALID_ARGUMENT',
    `invalid address ${printable(address)}: it does not belong to any of this network's subnets`,
    { hint: `network ${name} has ${subnet}` },
  )
}

const inUse = (address: string) => new BaleError('CONFLICT', `Address already in use: ${address}`)

/**
 * The IPv6 address that somebody chose, claimed; without a choice the one that follows from the IPv4 address, which needs no
 * claim of its own. The caller holds the network's lock.
 */
async function claimIpv6(
  { store }: NetworkParts,
  owner: string,
  network: Network,
  { ipv6Address: asked }: Wish,
  address: string,
): Promise<Connection['ipv6']> {
  const { document } = network
  const derived = derivedIpv6(document, address)
  if (asked === undefined) return derived
  const number = parseAddress6(asked)
  if (!derived || !document.ipv6 || number === undefined || !contains6(parseSubnet6(document.ipv6.subnet), number))
    throw foreign(network, asked, document.ipv6?.subnet ?? 'no IPv6 subnet')
  const chosen = formatAddress6(number)
  const others = (await store.addresses.list(network.id)).filter((one) => one.owner !== owner)
  const isTaken = others.some((one) => derivedIpv6(document, one.address)?.address === chosen)
  if (isTaken || chosen === derived.gateway) throw inUse(asked)
  await store.addresses.allocate({ network: network.id, owner, candidates: [chosen] })
  return { ...derived, address: chosen }
}

/** The same host part as the IPv4 address, so that there is one claim for both. */
function derivedIpv6({ subnet, ipv6 }: NetworkDocument, address: string): Connection['ipv6'] {
  const number = parseAddress(address)
  if (!ipv6 || number === undefined) return undefined
  const { base, prefix } = parseSubnet6(ipv6.subnet)
  const offset = number - parseSubnet(subnet).base
  // The gateway's host part may differ from the one in IPv4.
  const taken = parseAddress6(ipv6.gateway) === base + BigInt(offset)
  const host = BigInt(offset) + (taken ? 2n ** 24n : 0n)
  return { address: formatAddress6(base + host), prefix, gateway: ipv6.gateway }
}
