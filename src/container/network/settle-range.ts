import { existsSync } from 'node:fs'
import { BaleError } from '#base'
import { DEFAULT_NETWORK, type Network } from '../model/index.ts'
import { formatSubnet, gatewayOf, overlaps, parseSubnet, type Subnet } from './address.ts'
import { bridgesHere, namespaceLock, rememberBridge } from './bridge-registry.ts'
import { bridgeEntry, type NetworkParts } from './parts.ts'
import { freeSubnet, routedSubnets } from './subnet-pool.ts'

/**
 * Called with the network locked, before its bridge comes up: writes down for all stores of this machine which range it
 * takes. The default network moves to another range when its own is now in use and no container is on it.
 */
export async function settleRange(parts: NetworkParts, asked: Network): Promise<Network> {
  // It may have moved between the caller's look and its lock.
  const network = (await parts.records.networks.find(asked.id)) ?? asked
  const { interfaceName } = network.document
  if (existsSync(`/sys/class/net/${interfaceName}`)) return network
  await using _ = await namespaceLock('ranges', parts.progress)
  const taken = [...routedSubnets(interfaceName), ...(await rangesOfOthers(interfaceName))]
  const isTaken = taken.some((one) => overlaps(one, parseSubnet(network.document.subnet)))
  const settled = isTaken ? await moved(parts, network, taken) : network
  await rememberBridge(bridgeEntry(parts, settled))
  return settled
}

/** Of networks whose bridges are up, or about to come up; those of deleted stores are only seen by their routes. */
async function rangesOfOthers(interfaceName: string): Promise<Subnet[]> {
  const others = (await bridgesHere()).filter((one) => one.interfaceName !== interfaceName && existsSync(one.database))
  return others.flatMap(({ request }) =>
    Object.values(request.network_info).flatMap(({ subnets }) => parseSubnet(subnets[0]!.subnet)),
  )
}

async function moved({ store, records }: NetworkParts, network: Network, taken: readonly Subnet[]): Promise<Network> {
  const { document } = network
  if (network.name !== DEFAULT_NETWORK || (await store.addresses.list(network.id)).length > 0)
    throw new BaleError('NETWORK_SETUP_FAILED', `range ${document.subnet} of network ${network.name} is in use here`, {
      next: { act: 'choose-subnet', because: 'in-use' },
    })
  const own = (await records.networks.list()).map((one) => parseSubnet(one.document.subnet))
  const subnet = freeSubnet('large', [...taken, ...own])
  const range = { subnet: formatSubnet(subnet), gateway: gatewayOf(subnet) }
  const change = (one: Network): Network => ({ ...one, document: { ...one.document, ...range } })
  return (await records.networks.update(network.id, change)) ?? network
}
