import { BaleError } from '#base'
import {
  type Connection,
  type Container,
  isDefaultNetwork,
  isOwnNetwork,
  type Network,
  type NetworkRequest,
} from '../model/index.ts'
import { assertEndpoint, candidateOf, chooseGateway } from '../network/index.ts'
import { findContainer, lockContainer, type Machinery, pathsOf, type SeenContainer, see } from '../state/index.ts'
import { claimOne, joinPlaces } from './container-networks.ts'
import { updateEtcFiles } from './etc-files.ts'
import { networkOf } from './networks.ts'

/**
 * Puts a container on one more network: at once when it runs, and at each start. Its connections on other networks stay.
 * Throws NETWORK_NOT_FOUND, CONTAINER_NOT_FOUND, CONFLICT where the container's network mode or the network does not allow it.
 */
export async function connectNetwork(machinery: Machinery, idOrName: string, asked: NetworkRequest): Promise<void> {
  const network = await networkOf(machinery, asked.network)
  const request = { ...asked, network: network.name }
  assertEndpoint(request, { userDefined: !isDefaultNetwork(network.name) })
  const { id } = await findContainer(machinery, idOrName)
  await using _ = await lockContainer(machinery, id)
  const seen = await see(machinery, await findContainer(machinery, id))
  const { record } = seen
  assertConnectable(record)
  if (await isOn(machinery, record, network))
    throw new BaleError('CONFLICT', `endpoint with name ${record.name} already exists in network ${network.name}`)
  const networks = [...record.document.networks, request]
  if (!runs(seen)) return change(machinery, id, { networks })
  const connection = await claimOne(
    machinery,
    record,
    { request, network },
    {
      interfaceName: freeInterface(record.document.connections),
      withPorts: false,
    },
  )
  try {
    await joinPlaces(machinery, record, [{ request, network }], [connection])
  } catch (error) {
    await machinery.networks.leave(id, connection)
    throw error
  }
  await settleNetworks(machinery, record, networks, [...record.document.connections, connection])
}

/** Takes a container off a network: at once when it runs. `force` is docker's and has no effect here. */
export async function disconnectNetwork(machinery: Machinery, idOrName: string, networkName: string): Promise<void> {
  const network = await networkOf(machinery, networkName)
  const { id } = await findContainer(machinery, idOrName)
  await using _ = await lockContainer(machinery, id)
  const seen = await see(machinery, await findContainer(machinery, id))
  const { record } = seen
  if (record.document.host.network === 'host') throw hostNetwork()
  if (!(await isOn(machinery, record, network)))
    throw new BaleError('CONFLICT', `container ${id} is not connected to network ${network.name}`)
  const networks: NetworkRequest[] = []
  for (const request of record.document.networks)
    if ((await networkOf(machinery, request.network)).id !== network.id) networks.push(request)
  const left = record.document.connections.find(({ networkId }) => networkId === network.id)
  const connections = record.document.connections.filter((one) => one !== left)
  if (!runs(seen)) return change(machinery, id, { networks, connections })
  if (left) await machinery.networks.leave(id, left)
  await settleNetworks(machinery, record, networks, connections, left)
}

const runs = ({ status }: SeenContainer) => status === 'running' || status === 'paused'

/** Source: moby, runconfig/errors.go, and Daemon.updateNetworkConfig. */
function assertConnectable({ document: { host, networks } }: Container): void {
  if (host.network === 'host') throw hostNetwork()
  if (host.network === 'none')
    throw new BaleError(
      'CONFLICT',
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    )
  if (!isOwnNetwork(host.network))
    throw new BaleError(
      'CONFLICT',
      'container sharing network namespace with another container or host cannot be connected to any other network',
    )
  if (networks.length >= MOST_NETWORKS)
    throw new BaleError('CONFLICT', `a container can be on ${MOST_NETWORKS} networks at most`)
}

const MOST_NETWORKS = 64

const hostNetwork = () =>
  new BaleError('CONFLICT', 'container cannot be disconnected from host network or connected to host network')

async function isOn(machinery: Machinery, { document }: Container, network: Network): Promise<boolean> {
  for (const request of document.networks) {
    if (request.network === network.name || request.network === network.id) return true
    const known = await machinery.records.networks.find(request.network)
    if (known?.id === network.id) return true
  }
  return false
}

function freeInterface(connections: readonly Connection[]): string {
  const taken = new Set(connections.map(({ interfaceName }) => interfaceName))
  for (let index = 0; ; index++) if (!taken.has(`eth${index}`)) return `eth${index}`
}

/** After a network was added or removed: updates ports, default route, files and record. `left` is the removed connection. */
async function settleNetworks(
  machinery: Machinery,
  record: Container,
  networks: NetworkRequest[],
  connections: Connection[],
  left?: Connection,
): Promise<void> {
  const { id } = record
  const settled = await withPorts(machinery, record, connections, left)
  await change(machinery, id, { networks, connections: settled })
  if (settled.length > 0) await machinery.networks.setDefaultRoute(id, settled)
  await updateEtcFiles(pathsOf(machinery, id).directory, record, record.document.connections, settled)
}

/** Published ports lead to the network of the default route: otherwise answers would take another route. */
async function withPorts(
  machinery: Machinery,
  { id, name, document }: Container,
  connections: readonly Connection[],
  left: Connection | undefined,
): Promise<Connection[]> {
  const outward = chooseGateway(connections.map((one) => ({ ...candidateOf(one), connection: one })))?.connection
  const from = document.connections.find(({ ports }) => ports.length > 0)
  if (!from || from.networkId === outward?.networkId) return [...connections]
  const stays = from !== left && connections.includes(from)
  if (!outward) {
    // No network with a way out is left.
    if (stays) return [...connections]
    await machinery.store.ports.release(id)
    return [...connections]
  }
  const to: Connection = { ...outward, ports: from.ports }
  const network = await networkOf(machinery, to.networkId)
  await machinery.networks.movePorts({ owner: id, name, network, ...(stays && { from }), to })
  return connections.map((one) => (one === outward ? to : one === from ? { ...one, ports: [] } : one))
}

async function change(
  { records }: Machinery,
  id: string,
  members: { networks: NetworkRequest[]; connections?: Connection[] },
): Promise<void> {
  await records.containers.update(id, (one) => ({ ...one, document: { ...one.document, ...members } }))
}
