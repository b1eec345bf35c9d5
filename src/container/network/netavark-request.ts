import { hostAddresses, parseSubnet } from './address.ts'
import type { Connection } from './connections.ts'
import type { NetavarkRequest } from './netavark.ts'
import type { Network, NetworkDocument } from './network.ts'

/** A request for taking a bridge down: for a container that never was. The DNS server has left with the last real one. */
export function standInRequest(network: Network): NetavarkRequest {
  const silent = { ...network, document: { ...network.document, dns: false } }
  return netavarkRequest(`${network.id.slice(0, 48)}00000000takedown`, 'takedown', silent, standIn(network))
}

function standIn(network: Network): Connection {
  const subnet = parseSubnet(network.document.subnet)
  const [address = ''] = hostAddresses(subnet)
  const { gateway } = network.document
  const { id: networkId, name: networkName } = network
  return {
    networkId,
    networkName,
    address,
    prefix: subnet.prefix,
    gateway,
    mac: macOf(address),
    aliases: [],
    ports: [],
    dns: false,
    internal: false,
  }
}

/** Docker's rule: a locally administered address that holds the IPv4 address. */
export function macOf(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  return ['02', '42', ...bytes].join(':')
}

/** Two ends of a pair that belongs to no container. */
export function anchorNames(document: NetworkDocument): [string, string] {
  const suffix = document.interfaceName.slice(-8)
  return [`bla-${suffix}`, `blb-${suffix}`]
}

/** Where nothing is sent: the name server of an internal network must not be the way out. */
const NOBODY = '255.255.255.255'

/** Whom the network's name server asks for the container; without a word the machine's own servers. */
function serversOf({ internal }: NetworkDocument, asked: readonly string[]): { dns_servers?: string[] } {
  if (internal) return { dns_servers: [NOBODY] }
  return asked.length ? { dns_servers: [...asked] } : {}
}

/** The network's name for netavark: chains and files bear it, and two stores of one machine must not share them. */
export function keyOf(networkId: string): string {
  return `bale-${networkId.slice(0, 12)}`
}

/** netavark's words for one container on one network. */
export function netavarkRequest(
  owner: string,
  name: string,
  network: Network,
  connection: Connection,
  dnsServers: readonly string[] = [],
): NetavarkRequest {
  const { document } = network
  const key = keyOf(network.id)
  return {
    container_id: owner,
    container_name: name,
    networks: {
      [key]: {
        interface_name: 'eth0',
        static_ips: [connection.address],
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
        subnets: [{ subnet: document.subnet, gateway: document.gateway }],
        ipv6_enabled: false,
        internal: document.internal,
        dns_enabled: document.dns,
        ipam_options: { driver: 'host-local' },
        options: document.options,
      },
    },
    port_mappings: connection.ports.map((port) => ({
      host_ip: port.hostIp === '0.0.0.0' ? '' : port.hostIp,
      host_port: port.hostPort,
      container_port: port.containerPort,
      protocol: port.protocol,
      range: 1,
    })),
    ...serversOf(document, dnsServers),
  }
}
