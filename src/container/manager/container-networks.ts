import type { Connection, Container, Network, NetworkRequest } from '../model/index.ts'
import { chooseGateway } from '../network/index.ts'
import type { Machinery } from '../state/index.ts'
import { networkOf } from './networks.ts'
import { portRequests } from './port-requests.ts'
import { claimPlace } from './reclaim.ts'

/** A network that a container is to be on. */
interface Place {
  request: NetworkRequest
  network: Network
}

/** Those of a container, in the order of their interfaces. Throws NETWORK_NOT_FOUND. */
export function placesOf(machinery: Machinery, { document }: Container): Promise<Place[]> {
  return Promise.all(
    document.networks.map(async (request) => ({ request, network: await networkOf(machinery, request.network) })),
  )
}

/** Claims a place on each network; published ports are claimed on the one that the default route goes through. */
export async function claimPlaces(
  machinery: Machinery,
  record: Container,
  places: readonly Place[],
): Promise<Connection[]> {
  const outward = chooseGateway(places.map(candidate))
  const connections: Connection[] = []
  for (const [index, place] of places.entries())
    connections.push(
      await claimOne(machinery, record, place, {
        interfaceName: `eth${index}`,
        // A network without a way out publishes nothing; the claim throws the message for it.
        withPorts: places.length === 1 || place === outward?.place,
      }),
    )
  return connections
}

function candidate(place: Place) {
  const { request, network } = place
  const { internal, ipv6 } = network.document
  const { gatewayPriority } = request
  return { place, networkName: network.name, internal, gatewayPriority, hasIpv6: ipv6 !== undefined }
}

export function claimOne(
  machinery: Machinery,
  record: Container,
  { request, network }: Place,
  { interfaceName, withPorts }: { interfaceName: string; withPorts: boolean },
): Promise<Connection> {
  return claimPlace(machinery, {
    owner: record.id,
    network,
    interfaceName,
    ports: withPorts ? portRequests(record) : [],
    publishAddress: record.document.host.publishAddress,
    aliases: namesOn(record, request),
    wish: request,
  })
}

/** Gives the container's namespace its interfaces, one after the other. */
export async function joinPlaces(
  { networks }: Machinery,
  record: Container,
  places: readonly Place[],
  connections: readonly Connection[],
): Promise<void> {
  const { id, name, document } = record
  if (connections.length === 0) await networks.setLoopback(id)
  for (const [index, connection] of connections.entries())
    await networks.connect({
      owner: id,
      name,
      network: places[index]!.network,
      connection,
      dnsServers: document.host.dns,
    })
  if (connections.length > 1) await networks.setDefaultRoute(id, connections)
}

/** The names a container has on a network besides its own, in docker's order. */
function namesOn({ id, name, document: { config } }: Container, { aliases = [] }: NetworkRequest): string[] {
  const names = [name, ...aliases, id.slice(0, 12), config.Hostname]
  const fullName = config.Domainname ? [`${config.Hostname}.${config.Domainname}`] : []
  return [...new Set([...names, ...fullName].filter(Boolean))]
}

/** The connections of a container under another name, with the same options. */
export function renamedConnections(record: Container): Connection[] {
  const { connections, networks } = record.document
  return connections.map((connection) => ({
    ...connection,
    aliases: namesOn(record, requestOf(networks, connection) ?? { network: connection.networkName }),
  }))
}

/** The request that a connection came from: it names the network, its ID, or a prefix of the ID. */
function requestOf(requests: readonly NetworkRequest[], { networkId, networkName }: Connection) {
  return (
    requests.find(({ network }) => network === networkName || network === networkId) ??
    requests.find(({ network }) => network !== '' && networkId.startsWith(network))
  )
}
