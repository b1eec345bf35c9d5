import { existsSync } from 'node:fs'
import { BaleError } from '#base'
import type { Store } from '#store'
import { DEFAULT_NETWORK, type Network } from '../model/index.ts'
import type { Records } from '../records/index.ts'
import { formatSubnet, gatewayOf, overlaps, parseSubnet } from './address.ts'
import { freeSubnet, routedSubnets } from './subnet-pool.ts'

/** The default network moves to another range when its own is now in use and no container is on it. */
export async function settleRange(
  store: Pick<Records, 'networks'> & Pick<Store, 'addresses'>,
  network: Network,
): Promise<Network> {
  const { document } = network
  if (existsSync(`/sys/class/net/${document.interfaceName}`)) return network
  const routes = routedSubnets(document.interfaceName)
  if (!routes.some((route) => overlaps(route, parseSubnet(document.subnet)))) return network
  if (network.name !== DEFAULT_NETWORK || (await store.addresses.list(network.id)).length > 0)
    throw new BaleError('NETWORK_SETUP_FAILED', `range ${document.subnet} of network ${network.name} is in use here`, {
      next: { act: 'choose-subnet', because: 'in-use' },
    })
  const others = (await store.networks.list()).map((one) => parseSubnet(one.document.subnet))
  const subnet = freeSubnet('large', [...routes, ...others])
  const moved = { ...document, subnet: formatSubnet(subnet), gateway: gatewayOf(subnet) }
  const updated = await store.networks.update(network.id, (one) => ({ ...one, document: moved }))
  return updated ?? network
}
