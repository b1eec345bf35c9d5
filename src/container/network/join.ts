import type { Connection, Network } from '../model/index.ts'
import { bridgeSettings } from './bridge-options.ts'
import { machineLock } from './bridges.ts'
import { addAnchor, isAnchored, joinBridge, setPortFlags } from './join-bridge.ts'
import { linkOf, markLink, portsOf } from './link.ts'
import { netavarkRequest } from './netavark-request.ts'
import { lockNetwork, type NetworkParts, namespacePath } from './parts.ts'

export interface ConnectOptions {
  owner: string
  name: string
  network: Network
  connection: Connection
  dnsServers?: readonly string[]
}

/** Gives a namespace its interface, routes, rules and names on one network. */
export async function joinNetwork(parts: NetworkParts, options: ConnectOptions): Promise<void> {
  const { owner, name, connection, dnsServers } = options
  const { bridges, programs, driver, requests } = parts
  await using _ = await lockNetwork(parts, options.network.id)
  const network = (await parts.records.networks.find(options.network.id)) ?? options.network
  const link = linkOf(owner, connection.interfaceName)
  if (link !== undefined && isSimple(network, connection) && isAnchored(network.document)) {
    await joinBridge({ ...bridges, programs }, { link, namespace: namespacePath(parts, owner) }, network, connection)
    return
  }
  const request = netavarkRequest(owner, name, network, connection, dnsServers)
  await bridges.takeDownOrphans()
  await requests.keep(owner, { networkId: network.id, request })
  await using _machine = await machineLock(parts.progress)
  const others = portsOf(network.document.interfaceName)
  await driver.setup(namespacePath(parts, owner), request)
  for (const port of portsOf(network.document.interfaceName).filter((one) => !others.includes(one))) {
    markLink(port, owner)
    await setPortFlags(network.document, port)
  }
  if (isAnchored(network.document)) return
  await parts.walls.refresh()
  await addAnchor(bridges, network.document)
}

/** Nothing that needs rules or names of its own. */
function isSimple({ document }: Network, { ports }: Connection): boolean {
  return ports.length === 0 && !document.dns && bridgeSettings(document.options).betweenContainers
}
