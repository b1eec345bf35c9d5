import type { NetworkSettings } from '#docker/views'
import type { NetworkRecord } from '#store'

/** The network that containers join by default. */
export const DEFAULT_NETWORK = 'bridge'

/** What the store keeps of a network; `bridgeSettings` reads its options. */
export interface NetworkDocument extends NetworkSettings {
  driver: 'bridge'
  /** Name of the bridge on the host. */
  interfaceName: string
  /** Containers find each other by name (not on the default network, as with docker). */
  dns: boolean
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
