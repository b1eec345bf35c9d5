import type { NetworkRecord } from '#store'

/** The network that containers join without a wish. */
export const DEFAULT_NETWORK = 'bridge'

/** What the store keeps of a network. */
export interface NetworkDocument {
  driver: 'bridge'
  /** Name of the bridge on the host. */
  interfaceName: string
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
  /** Containers find each other by name (not on the default network, as with docker). */
  dns: boolean
  /** Means nothing here, and is shown. */
  attachable?: boolean
  /** As people wrote them; `bridgeSettings` says what they mean. */
  options: Record<string, string>
  labels: Record<string, string>
}

export type Network = NetworkRecord<NetworkDocument>

/** A network to be made: name, driver `bridge`, and optionally its addresses. */
export interface CreateNetworkOptions {
  name: string
  driver?: string
  /** At most one of each family; an IPv6 one needs `ipv6`. */
  subnets?: readonly string[]
  gateways?: readonly string[]
  ipRange?: string
  /** Addresses that are not given to containers, by name. */
  auxiliary?: Record<string, string>
  ipv6?: boolean
  internal?: boolean
  attachable?: boolean
  options?: Record<string, string>
  labels?: Record<string, string>
}
