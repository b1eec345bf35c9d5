import type { NetworkOption } from '../network-option.ts'
import { type ConnectionFacts, type ContainerFacts, isUp } from './container-facts.ts'
import { portBindings } from './port-bindings.ts'

/** docker's NetworkSettings: what was requested on each network and, of a running container, what it has there. */
export function networkSettings(container: ContainerFacts): Record<string, unknown> {
  const { record } = container
  const { config, host, connections } = record.document
  const lives = isUp(container)
  const ports = lives ? connections.flatMap((one) => one.ports) : []
  const published = ports.map((port) => ({ ...port, ip: port.hostIp, port: String(port.hostPort) }))
  const exposed = Object.fromEntries(Object.keys(config.ExposedPorts ?? {}).map((key) => [key, null]))
  const endpoints = endpointsOf(record, lives)
  const onDefault = endpoints['bridge']
  return {
    Bridge: '',
    SandboxID: lives ? record.id : '',
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    Ports: lives ? { ...exposed, ...portBindings(published) } : {},
    SandboxKey: '',
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: onDefault?.EndpointID ?? '',
    Gateway: onDefault?.Gateway ?? '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: onDefault?.IPAddress ?? '',
    IPPrefixLen: onDefault?.IPPrefixLen ?? 0,
    IPv6Gateway: '',
    MacAddress: onDefault?.MacAddress ?? '',
    Networks: host.network?.startsWith('container:') ? {} : endpoints,
  }
}

/** By name, in order. */
function endpointsOf({ id, document }: ContainerFacts['record'], lives: boolean) {
  const { host, networks, connections } = document
  const mode = host.network
  const requests = networks.length > 0 || (mode !== 'none' && mode !== 'host') ? networks : [{ network: mode }]
  const endpoints = requests.map((request) => {
    const known = connections.find(
      ({ networkId, networkName }) => networkName === request.network || networkId.startsWith(request.network),
    )
    return [known?.networkName ?? request.network, endpointView(id, request, known, lives)] as const
  })
  return Object.fromEntries(endpoints.toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

function endpointView(
  id: string,
  { network, ipAddress, ipv6Address }: NetworkOption,
  known: ConnectionFacts | undefined,
  lives: boolean,
) {
  const joined = lives ? known : undefined
  const requested = {
    ...(ipAddress && { IPv4Address: ipAddress }),
    ...(ipv6Address && { IPv6Address: ipv6Address }),
  }
  return {
    IPAMConfig: Object.keys(requested).length > 0 ? requested : null,
    Links: null,
    Aliases: joined && network !== 'bridge' ? joined.aliases : null,
    NetworkID: known?.networkId ?? '',
    EndpointID: joined ? id : '',
    Gateway: joined?.gateway ?? '',
    IPAddress: joined?.address ?? '',
    IPPrefixLen: joined?.prefix ?? 0,
    IPv6Gateway: joined?.ipv6?.gateway ?? '',
    GlobalIPv6Address: joined?.ipv6?.address ?? '',
    GlobalIPv6PrefixLen: joined?.ipv6?.prefix ?? 0,
    MacAddress: joined?.mac ?? '',
    DriverOpts: null,
  }
}
