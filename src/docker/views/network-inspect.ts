import { goTimeOf } from './go-time.ts'

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

/** What is shown of a network's settings. */
export interface NetworkSettings {
  driver: string
  subnet: string
  gateway: string
  /** The part of the subnet that containers get addresses from, when it is not the whole. */
  ipRange?: string
  /** Addresses that containers do not get, by the name of their owner. */
  auxiliary?: Record<string, string>
  /** A container's address there ends as its IPv4 address does. */
  ipv6?: { subnet: string; gateway: string }
  /** No way out. */
  internal: boolean
  /** Shown only: without a swarm every network is for containers. */
  attachable?: boolean
  /** As people wrote them. */
  options: Record<string, string>
  labels: Record<string, string>
}

/** What the view of a network is made of; the store's records are such. */
interface NetworkFacts {
  id: string
  name: string
  /** Milliseconds since 1970. */
  created: number
  document: NetworkSettings
}

/** A container and where it is connected. */
interface ConnectedFacts {
  id: string
  name: string
  connection: { mac: string; address: string; prefix: number; ipv6?: { address: string; prefix: number } }
}

interface FixedNetwork {
  name: string
  driver: string
}

/** `none` and `host` exist without a record. */
export const FIXED_NETWORKS: readonly FixedNetwork[] = [
  { name: 'host', driver: 'host' },
  { name: 'none', driver: 'null' },
]

/** A network with the containers that are connected to it. */
export function networkInspect(network: NetworkFacts, connected: readonly ConnectedFacts[]): NetworkInspect {
  const { document } = network
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
    Containers: Object.fromEntries(connected.map((one) => [one.id, endpoint(one)])),
    Options: document.options,
    Labels: document.labels,
  }
}

function endpoint({ id, name, connection }: ConnectedFacts): NetworkInspect['Containers'][string] {
  const { mac, address, prefix, ipv6 } = connection
  return {
    Name: name,
    EndpointID: id,
    MacAddress: mac,
    IPv4Address: `${address}/${prefix}`,
    IPv6Address: ipv6 ? `${ipv6.address}/${ipv6.prefix}` : '',
  }
}

function addressPlans({ subnet, gateway, ipRange, auxiliary, ipv6 }: NetworkSettings): AddressPlan[] {
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

/** One of those without a record. */
export function fixedNetworkInspect({ name, driver }: FixedNetwork): NetworkInspect {
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
