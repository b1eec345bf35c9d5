import { BaleError, isBaleError } from '#base'
import { predefinedNetwork } from '#docker'
import {
  type Container,
  type CreateNetworkOptions,
  DEFAULT_NETWORK,
  isDefaultNetwork,
  type Network,
} from '../model/index.ts'
import { createNetwork, defaultNetwork, findNetwork } from '../network/index.ts'
import { type Machinery, newId, seeAll } from '../state/index.ts'
import { takeDownIdleNetworks } from './finalize.ts'

/** Adds a network; nothing changes on the machine before the first container joins. Throws INVALID_ARGUMENT, CONFLICT. */
export async function addNetwork(machinery: Machinery, asked: CreateNetworkOptions): Promise<Network> {
  if (asked.name === DEFAULT_NETWORK) throw predefinedNetwork(asked.name)
  // The default network takes its range first, so that its addresses never depend on which network came first.
  await theDefaultNetwork(machinery)
  return createNetwork(machinery.records, asked, identity(machinery))
}

/** The network `bridge`, created at its first use. */
export function theDefaultNetwork(machinery: Machinery): Promise<Network> {
  return defaultNetwork(machinery.records, () => identity(machinery))
}

const identity = ({ clock }: Machinery) => ({ id: newId(), created: clock.now() })

/** By name, ID or unique ID prefix. Throws NETWORK_NOT_FOUND. */
export async function networkOf(machinery: Machinery, idOrName: string): Promise<Network> {
  if (isDefaultNetwork(idOrName)) return theDefaultNetwork(machinery)
  return findNetwork(machinery.records, idOrName)
}

/** All networks that have a record, the default one included. */
export async function allNetworks(machinery: Machinery): Promise<Network[]> {
  await theDefaultNetwork(machinery)
  return machinery.records.networks.list()
}

/** Containers that are on a network now: those that run. */
export async function connectedContainers(machinery: Machinery, network: Network): Promise<Container[]> {
  const seen = await seeAll(machinery)
  return seen
    .filter(({ status }) => status === 'running' || status === 'paused')
    .map(({ record }) => record)
    .filter(({ document }) => document.connections.some(({ networkId }) => networkId === network.id))
}

const PREDEFINED = [DEFAULT_NETWORK, 'host', 'none']

/**
 * Removes a network; returns false for one that is missing when `force` is set. Throws NETWORK_NOT_FOUND, CONFLICT while
 * containers are connected, DENIED for the predefined ones.
 */
export async function removeNetwork(
  machinery: Machinery,
  idOrName: string,
  { force = false }: { force?: boolean } = {},
): Promise<boolean> {
  assertRemovable(idOrName)
  let network: Network
  try {
    network = await findNetwork(machinery.records, idOrName)
  } catch (error) {
    if (force && isBaleError(error, 'NETWORK_NOT_FOUND')) return false
    throw error
  }
  assertRemovable(network.name)
  if (await removeIdle(machinery, network)) return true
  throw new BaleError(
    'CONFLICT',
    `error while removing network: network ${network.name} has active endpoints${await endpointsOf(machinery, network)}`,
    { next: { act: 'inspect-network', name: network.name } },
  )
}

function assertRemovable(name: string): void {
  if (PREDEFINED.includes(name)) throw new BaleError('DENIED', `${name} is a pre-defined network and cannot be removed`)
}

/** False when containers are connected. */
async function removeIdle({ networks, records }: Machinery, network: Network): Promise<boolean> {
  if (!(await networks.takeDown(network))) return false
  await records.networks.remove(network.id)
  return true
}

/** ` (name:"web" id:"0123456789ab")`, as docker shows the containers on a network. */
async function endpointsOf(machinery: Machinery, network: Network): Promise<string> {
  const connected = await connectedContainers(machinery, network)
  const shown = connected.map(({ id, name }) => `name:"${name}" id:"${id.slice(0, 12)}"`)
  return shown.length ? ` (${shown.join(', ')})` : ''
}

/** IDs of the networks that containers, running or not, refer to: by name, or by a prefix of the ID. */
export async function usedNetworks(machinery: Machinery): Promise<Set<string>> {
  const asked = (await seeAll(machinery)).flatMap(({ record }) => record.document.networks.map((one) => one.network))
  const found = await Promise.all([...new Set(asked)].map((name) => machinery.records.networks.find(name)))
  return new Set(found.flatMap((network) => (network ? [network.id] : [])))
}

/** Removes networks that no container, running or not, uses; returns their names. */
export async function pruneNetworks(
  machinery: Machinery,
  filter: (network: Network) => boolean = () => true,
): Promise<string[]> {
  const used = await usedNetworks(machinery)
  const removed: string[] = []
  for (const network of await machinery.records.networks.list()) {
    if (network.name === DEFAULT_NETWORK || used.has(network.id) || !filter(network)) continue
    if (await removeIdle(machinery, network)) removed.push(network.name)
  }
  await takeDownIdleNetworks(machinery)
  return removed
}
