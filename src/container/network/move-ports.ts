import { join } from 'node:path'
import { BaleError } from '#base'
import { createNetworkNamespace, deleteNetworkNamespace, runProgram } from '#host'
import type { Connection, Network } from '../model/index.ts'
import { machineLock } from './bridges.ts'
import type { NetavarkRequest } from './netavark.ts'
import { netavarkRequest } from './netavark-request.ts'
import { lockNetwork, type NetworkParts } from './parts.ts'

export interface PortMove {
  owner: string
  name: string
  network: Network
  /** The connection that had the ports; undefined when that network was left. */
  from?: Connection
  /** The connection that gets them. */
  to: Connection
}

/**
 * Published ports of a container that runs lead to its address on another network. netavark makes and removes their rules only
 * together with an interface: here that of a stand-in with the container's addresses, which answers nothing and is removed at once.
 */
export async function movePorts(parts: NetworkParts, { owner, name, network, from, to }: PortMove): Promise<void> {
  const { driver, progress, requests } = parts
  if (from) await withdraw(parts, owner, from)
  if (to.ports.length === 0) return
  const request = netavarkRequest(owner, name, network, to)
  await using _ = await lockNetwork(parts, network.id)
  const kept = (await requests.read(owner)).find(({ networkId }) => networkId === network.id)?.request ?? request
  await requests.keep(owner, { networkId: network.id, request: { ...kept, port_mappings: request.port_mappings } })
  await using _machine = await machineLock(progress)
  await inStandIn(parts, owner, (namespace) => driver.setup(namespace, silent(request)))
}

/** Removes the rules of ports and keeps the interface that they led to. */
async function withdraw(parts: NetworkParts, owner: string, { networkId }: Connection): Promise<void> {
  const { requests, driver, progress } = parts
  const stored = (await requests.read(owner)).find((one) => one.networkId === networkId)
  if (!stored || stored.request.port_mappings.length === 0) return
  await using _ = await lockNetwork(parts, networkId)
  await using _machine = await machineLock(progress)
  await inStandIn(parts, owner, (namespace) => driver.teardown(namespace, silent(stored.request)))
  await requests.keep(owner, { networkId, request: { ...stored.request, port_mappings: [] } })
}

/** It has no names. */
function silent(request: NetavarkRequest): NetavarkRequest {
  const networks = Object.entries(request.network_info).map(([key, one]) => [key, { ...one, dns_enabled: false }])
  return { ...request, network_info: Object.fromEntries(networks) }
}

/** It has the address of a running container: it must answer nothing. */
async function inStandIn(
  { store, programs }: NetworkParts,
  owner: string,
  act: (namespace: string) => Promise<void>,
): Promise<void> {
  const namespace = join(store.run, 'netns', `ports-${owner.slice(0, 16)}`)
  await deleteNetworkNamespace(namespace)
  await createNetworkNamespace(namespace)
  try {
    for (const family of ['iptables', 'ip6tables'].filter((one) => programs.find(one)))
      for (const chain of ['INPUT', 'OUTPUT']) {
        const result = await runProgram(programs.need(family), ['-P', chain, 'DROP'], {
          env: { PATH: programs.searchPath },
          networkNamespace: namespace,
        })
        // A machine without IPv6 has no table for it, and needs none.
        if (result.code !== 0 && family === 'iptables')
          throw new BaleError('NETWORK_SETUP_FAILED', `cannot move the ports: ${result.stderr.trim()}`)
      }
    await act(namespace)
  } finally {
    await deleteNetworkNamespace(namespace)
  }
}
