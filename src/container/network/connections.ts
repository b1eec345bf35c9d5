import { existsSync } from 'node:fs'
import { createNetworkNamespace } from '#host'
import type { Connection, Network } from '../model/index.ts'
import { forgetBridge } from './bridge-registry.ts'
import { type ClaimRequest, claimConnection } from './claim.ts'
import { setDefaultRoute, setLoopback } from './gateway.ts'
import { type ConnectOptions, joinNetwork } from './join.ts'
import { leaveAll, leaveNetwork } from './leave.ts'
import { movePorts, type PortMove } from './move-ports.ts'
import {
  bridgeEntry,
  lockNetwork,
  type NetworkParts,
  type NetworkPartsOptions,
  namespacePath,
  openNetworkParts,
} from './parts.ts'
import { renameOwner } from './rename.ts'

/** Joins containers to networks of this machine. One per store. */
export interface Connections {
  /** Addresses, MAC and ports on one network, claimed in the store; leaving gives them back. */
  claim(request: ClaimRequest): Promise<Connection>
  createNamespace(owner: string): Promise<string>
  /** Path of the owner's network namespace. */
  namespacePath(owner: string): string
  /** Gives the namespace an interface, routes, rules and names on one network; takes 50–60 ms. */
  connect(options: ConnectOptions): Promise<void>
  /** For an owner on no network: its loopback interface is up. */
  setLoopback(owner: string): Promise<void>
  /** With several networks: the default route goes through the right one. */
  setDefaultRoute(owner: string, connections: readonly Connection[]): Promise<void>
  /** Makes the published ports lead to the owner's address on another of its networks. */
  movePorts(move: PortMove): Promise<void>
  /** Takes the owner off one network; its others stay as they are. */
  leave(owner: string, connection: Connection): Promise<void>
  /** Removes interfaces, rules, names and the namespace, and gives the claims back. May be called twice. */
  disconnect(owner: string): Promise<void>
  /** Replaces the owner's names on its networks; `aliasesOn` gives them by the network's ID. */
  rename(owner: string, name: string, aliasesOn: (networkId: string) => readonly string[]): Promise<void>
  /** Removes the bridge and rules of an unused network. False when it is in use. */
  takeDown(network: Network): Promise<boolean>
  /** The same for bridges of this machine whose store was deleted; returns how many. */
  takeDownOrphans(): Promise<number>
}

export function connections(options: NetworkPartsOptions): Connections {
  const parts = openNetworkParts(options)
  return {
    claim: (request) => claimConnection(parts, request),
    async createNamespace(owner) {
      await createNetworkNamespace(namespacePath(parts, owner))
      return namespacePath(parts, owner)
    },
    namespacePath: (owner) => namespacePath(parts, owner),
    connect: (asked) => joinNetwork(parts, asked),
    setLoopback: (owner) => setLoopback(parts, owner),
    setDefaultRoute: (owner, all) => setDefaultRoute(parts, owner, all),
    movePorts: (move) => movePorts(parts, move),
    leave: (owner, connection) => leaveNetwork(parts, owner, connection),
    disconnect: (owner) => leaveAll(parts, owner),
    rename: (owner, name, aliasesOn) => renameOwner(parts, owner, name, aliasesOn),
    takeDown: (network) => takeDownIdle(parts, network),
    takeDownOrphans: () => parts.bridges.takeDownOrphans(),
  }
}

async function takeDownIdle(parts: NetworkParts, network: Network): Promise<boolean> {
  await using _ = await lockNetwork(parts, network.id)
  if ((await parts.store.addresses.list(network.id)).length > 0) return false
  const { interfaceName } = network.document
  if (existsSync(`/sys/class/net/${interfaceName}`)) await parts.bridges.takeDown(bridgeEntry(parts, network))
  // A claim that came to nothing: other stores may have its range.
  else await forgetBridge(interfaceName)
  return true
}
