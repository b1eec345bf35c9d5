import { existsSync } from 'node:fs'
import { createNetworkNamespace, deleteNetworkNamespace } from '#host'
import { type Connection, sharedWith } from '../model/index.ts'
import { machineLock } from './bridges.ts'
import { deleteLink, linkOf, linksOf, silenceLink } from './link.ts'
import type { NetavarkRequest } from './netavark.ts'
import { lockNetwork, type NetworkParts, namespacePath } from './parts.ts'
import type { StoredRequest } from './stored-requests.ts'

/** Takes an owner off all its networks: interfaces, rules, names, namespace, claims. May be called again. */
export async function leaveAll(parts: NetworkParts, owner: string): Promise<void> {
  const { store, requests } = parts
  const stored = await requests.read(owner)
  const withRules = stored.filter(({ request }) => hasRules(request))
  for (const one of withRules) await tearDown(parts, owner, one)
  await letLinksGo(parts, owner)
  await deleteNetworkNamespace(namespacePath(parts, owner))
  await requests.forget(owner)
  await store.addresses.release(owner)
  await store.ports.release(owner)
}

/** Takes an owner off one network; the others and their connections stay. Its ports stay claimed. */
export async function leaveNetwork(parts: NetworkParts, owner: string, connection: Connection): Promise<void> {
  const { bridges, store, requests } = parts
  const stored = (await requests.read(owner)).find(({ networkId }) => networkId === connection.networkId)
  if (stored) await tearDown(parts, owner, stored)
  else await deleteLink(bridges, linkOf(owner, connection.interfaceName))
  await requests.forget(owner, connection.networkId)
  await store.addresses.release(owner, connection.networkId)
}

async function tearDown(parts: NetworkParts, owner: string, { networkId, request }: StoredRequest): Promise<void> {
  const namespace = namespacePath(parts, owner)
  await using _ = await lockNetwork(parts, networkId)
  await using _machine = await machineLock(parts.progress)
  if (!existsSync(namespace)) await createNetworkNamespace(namespace)
  await parts.driver.teardown(namespace, request)
}

function hasRules(request: NetavarkRequest): boolean {
  return request.port_mappings.length > 0 || Object.values(request.network_info).some((one) => one.dns_enabled)
}

/**
 * Without rules of its own, a container's interfaces vanish with its namespace, which nobody waits for; but a namespace that
 * another container still uses keeps them. Their addresses are about to be assigned to a new container in both cases.
 */
async function letLinksGo({ bridges, records }: NetworkParts, owner: string): Promise<void> {
  const links = linksOf(owner)
  if (links.length === 0) return
  const others = await records.containers.list()
  if (!others.some(({ document }) => sharedWith(document.host.network) === owner)) return links.forEach(silenceLink)
  for (const link of links) await deleteLink(bridges, link)
}
