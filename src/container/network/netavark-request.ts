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

/** netavark's words for one container on one network. */
export function netavarkRequest(
  owner: string,
  name: string,
  network: Network,
  connection: Connection,
  dnsServers: readonly string[] = [],
): NetavarkRequest {
  const { document } = network
  // Chains and files are named after the network's name: two stores of one machine must not share them.
  const key = `bale-${network.id.slice(0, 12)}`
  return {
    container_id: owner,
    container_name: name,
    networks: {
      [key]: {
        interface_name: 'eth0',
        static_ips: [connection.address],
        static_mac: connection.mac,
        aliases: [...new Set([...connection.aliases, owner.slice(0, 12)])],
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
    ...(dnsServers.length && { dns_servers: [...dnsServers] }),
  }
}
