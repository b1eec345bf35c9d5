/** One container's place on a network. */
export interface Connection {
  networkId: string
  networkName: string
  /** In the container: `eth0` … */
  interfaceName: string
  /** As requested; 0 by default. */
  gatewayPriority?: number
  address: string
  /** Length of the prefix. */
  prefix: number
  gateway: string
  /** On networks that have it. */
  ipv6?: { address: string; prefix: number; gateway: string }
  mac: string
  aliases: string[]
  ports: PublishedPort[]
  /** The network has a name server of its own. */
  dns: boolean
  /** Only the network itself can be reached. */
  internal: boolean
}

/** A port of the machine that leads to one of a container. */
export interface PublishedPort {
  /** `0.0.0.0`: all addresses. */
  hostIp: string
  hostPort: number
  containerPort: number
  protocol: 'tcp' | 'udp' | 'sctp'
}
