import { createHash } from 'node:crypto'
import type { Connection, Network, NetworkDocument } from '../model/index.ts'
import { hostAddresses, parseSubnet } from './address.ts'
import { bridgeSettings } from './bridge-options.ts'
import { formatAddress6, parseSubnet6 } from './ipv6-address.ts'
import type { NetavarkRequest } from './netavark.ts'

/** A request that takes a bridge down: for a container that never existed. The DNS server ended with the last real one. */
export function standInRequest(network: Network): NetavarkRequest {
  const silent = { ...network, document: { ...network.document, dns: false } }
  return netavarkRequest(`${network.id.slice(0, 48)}00000000takedown`, 'takedown', silent, standIn(network))
}

function standIn(network: Network): Connection {
  const subnet = parseSubnet(network.document.subnet)
  const { gateway, ipv6 } = network.document
  const address = firstBut(gateway, hostAddresses(subnet))
  const { id: networkId, name: networkName } = network
  return {
    networkId,
    networkName,
    address,
    prefix: subnet.prefix,
    gateway,
    ...(ipv6 && {
      ipv6: { address: formatAddress6(parseSubnet6(ipv6.subnet).base + 2n), prefix: 64, gateway: ipv6.gateway },
    }),
    mac: macOf(address),
    aliases: [],
    ports: [],
    interfaceName: 'eth0',
    dns: false,
    internal: false,
  }
}

function firstBut(taken: string, addresses: Iterable<string>): string {
  for (const address of addresses) if (address !== taken) return address
  return ''
}

/** Docker's rule: a locally administered address that holds the IPv4 address. */
export function macOf(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  return ['02', '42', ...bytes].join(':')
}

/** Two ends of a pair that belongs to no container. */
export function anchorNames(document: NetworkDocument): [string, string] {
  const { interfaceName: name } = document
  const suffix = /^bale-[0-9a-f]{8}$/.test(name)
    ? name.slice(-8)
    : createHash('sha256').update(name).digest('hex').slice(0, 8)
  return [`bla-${suffix}`, `blb-${suffix}`]
}

/** Every address of both families is one rule for netavark. */
const isEveryAddress = (address: string) => address === '0.0.0.0' || address === '::'
const isFirstOfBoth = ({ hostIp }: { hostIp: string }) => hostIp !== '::'

/** An address that receives nothing: the name server of an internal network must not be a way out. */
const NOBODY = '255.255.255.255'

/** The servers that the network's name server forwards to; by default the machine's own. */
function serversOf({ internal }: NetworkDocument, asked: readonly string[]): { dns_servers?: string[] } {
  if (internal) return { dns_servers: [NOBODY] }
  return asked.length ? { dns_servers: [...asked] } : {}
}

/** The network's name for netavark: chains and files are named by it, and two stores of one machine must not share them. */
export function keyOf(networkId: string): string {
  return `bale-${networkId.slice(0, 12)}`
}

/** netavark's form of one container on one network. */
export function netavarkRequest(
  owner: string,
  name: string,
  network: Network,
  connection: Connection,
  dnsServers: readonly string[] = [],
): NetavarkRequest {
  const { document } = network
  const { mtu } = bridgeSettings(document.options)
  const key = keyOf(network.id)
  return {
    container_id: owner,
    container_name: name,
    networks: {
      [key]: {
        interface_name: connection.interfaceName,
        static_ips: [connection.address, ...(connection.ipv6 ? [connection.ipv6.address] : [])],
        static_mac: connection.mac,
        aliases: [...connection.aliases],
      },
    },
    network_info: {
      [key]: {
        name: key,
        id: network.id,
        driver: 'bridge',
        network_interface: document.interfaceName,
        subnets: [{ subnet: document.subnet, gateway: document.gateway }, ...(document.ipv6 ? [document.ipv6] : [])],
        ipv6_enabled: document.ipv6 !== undefined,
        internal: document.internal,
        dns_enabled: document.dns,
        ipam_options: { driver: 'host-local' },
        options: mtu === undefined ? {} : { mtu: String(mtu) },
      },
    },
    port_mappings: connection.ports.filter(isFirstOfBoth).map((port) => ({
      host_ip: isEveryAddress(port.hostIp) ? '' : port.hostIp,
      host_port: port.hostPort,
      container_port: port.containerPort,
      protocol: port.protocol,
      range: 1,
    })),
    ...serversOf(document, dnsServers),
  }
}
