import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BaleError, type Log, noLog, printable, toldBy } from '#base'
import { createNetworkNamespace, deleteNetworkNamespace } from '#host'
import { acquireLock } from '#host/file'
import type { Store } from '#store'
import type { Connection, Network, NetworkDocument, PortRequest } from '../model/index.ts'
import type { Programs } from '../runtime/index.ts'
import { contains, hostAddresses, isHostAddress, parseAddress, parseSubnet } from './address.ts'
import { bridgeSettings } from './bridge-options.ts'
import { type BridgeEntry, ownNamespace, rememberBridge } from './bridge-registry.ts'
import { machineLock, openBridges } from './bridges.ts'
import { firewall } from './firewall.ts'
import { formatAddress6, parseAddress6, parseSubnet6 } from './ipv6-address.ts'
import { addAnchor, isAnchored, joinBridge, linkOf, setPortFlags } from './join-bridge.ts'
import { replaceNames } from './name-server.ts'
import { type NetavarkRequest, netavark } from './netavark.ts'
import { keyOf, macOf, netavarkRequest, standInRequest } from './netavark-request.ts'
import { sharedWith } from './network-mode.ts'
import { claimPorts } from './published-ports.ts'
import { settleRange } from './settle-range.ts'
import { storedRequests } from './stored-requests.ts'

export interface ClaimRequest {
  /** Container ID, or another owner of the same form. */
  owner: string
  network: Network
  ports?: readonly PortRequest[]
  aliases?: readonly string[]
  /** A fixed address. */
  address?: string
  mac?: string
  /** The host's address for ports that name none. */
  publishAddress?: string
}

/** Joins containers to networks of this machine. One per store. */
export interface Connections {
  /** Address, MAC and ports for a container, claimed in the store; `release` gives them back. */
  claim(request: ClaimRequest): Promise<Connection>
  /** Gives the namespace its interface, routes, rules and name; takes 50–60 ms. Undone by `disconnect`. */
  connect(options: ConnectOptions): Promise<void>
  /** Takes interface, rules and name away, removes the namespace, gives the claims back. May be called twice. */
  disconnect(owner: string): Promise<void>
  /** The owner is found on its network under these names from now on. */
  rename(owner: string, name: string, aliases: readonly string[]): Promise<void>
  /** Path of the owner's network namespace. */
  namespacePath(owner: string): string
  createNamespace(owner: string): Promise<string>
  /** Removes the bridge and rules of a network that nobody uses. False when somebody does. */
  takeDown(network: Network): Promise<boolean>
  /** The same for bridges of this machine whose store was deleted; answers how many. */
  takeDownOrphans(): Promise<number>
}

export interface ConnectOptions {
  owner: string
  name: string
  network: Network
  connection: Connection
  dnsServers?: readonly string[]
}

export interface ConnectionsOptions {
  store: Store
  programs: Programs
  /** Told of long waits. */
  log?: Log
}

export function connections({ store, programs, log = noLog }: ConnectionsOptions): Connections {
  const directory = join(store.run, 'network')
  const requests = storedRequests(join(directory, 'requests'))
  const namespacePath = (owner: string) => join(store.run, 'netns', owner.slice(0, 16))
  const progress = toldBy(log)
  const lock = (networkId: string) =>
    acquireLock(join(store.run, 'locks', `network-${networkId}`), {
      progress,
      what: `the network ${networkId.slice(0, 12)}, which another command changes`,
    })
  const driver = netavark(programs, directory)
  const walls = firewall(programs, progress)
  const bridges = openBridges({ progress, programs, driver, walls, namespaces: join(store.run, 'netns') })
  const entryOf = (network: Network): BridgeEntry => ({
    interfaceName: network.document.interfaceName,
    database: join(store.root, 'bale.db'),
    namespace: ownNamespace(),
    request: standInRequest(network),
  })

  const isShared = async (owner: string) => {
    const others = await store.containers.list<{ host: { network?: string } }>()
    return others.some(({ document }) => sharedWith(document.host.network) === owner)
  }

  const release = async (owner: string) => {
    await store.addresses.release(owner)
    await store.ports.release(owner)
  }

  return {
    namespacePath,
    async createNamespace(owner) {
      await createNetworkNamespace(namespacePath(owner), programs)
      return namespacePath(owner)
    },
    async claim({ owner, network: asked, ports = [], aliases = [], address, mac, publishAddress = '0.0.0.0' }) {
      await using _ = await lock(asked.id)
      const network = await settleRange(store, asked)
      const settings = bridgeSettings(network.document.options)
      try {
        const candidates = address === undefined ? freeAddresses(network) : [assertFits(network, address)]
        const given = await store.addresses.allocate({ network: network.id, owner, candidates })
        return {
          networkId: network.id,
          networkName: network.name,
          address: given,
          prefix: parseSubnet(network.document.subnet).prefix,
          gateway: network.document.gateway,
          ...ipv6Of(network.document, given),
          mac: mac ?? macOf(given),
          aliases: [...aliases],
          ports: network.document.internal
            ? []
            : await claimPorts(store, owner, ports, {
                address: settings.publishAddress ?? publishAddress,
                ipv6: network.document.ipv6 !== undefined,
              }),
          dns: network.document.dns,
          internal: network.document.internal,
        }
      } catch (error) {
        await release(owner)
        throw error
      }
    },
    async connect({ owner, name, network: asked, connection, dnsServers }) {
      await using _ = await lock(asked.id)
      const network = (await store.networks.find<NetworkDocument>(asked.id)) ?? asked
      if (isSimple(network, connection) && isAnchored(network.document)) {
        const place = { owner, namespace: namespacePath(owner) }
        await joinBridge({ ...bridges, programs }, place, network, connection)
        return
      }
      const request = netavarkRequest(owner, name, network, connection, dnsServers)
      await bridges.takeDownOrphans()
      await rememberBridge(entryOf(network))
      await requests.keep(owner, { networkId: network.id, request })
      await using _machine = await machineLock(progress)
      await driver.setup(namespacePath(owner), request)
      await setPortFlags(network.document)
      if (isAnchored(network.document)) return
      await walls.refresh()
      await addAnchor(bridges, network.document)
    },
    async disconnect(owner) {
      const stored = await requests.read(owner)
      if (stored && hasRules(stored.request)) {
        await using _ = await lock(stored.networkId)
        await using _machine = await machineLock(progress)
        if (!existsSync(namespacePath(owner))) await createNetworkNamespace(namespacePath(owner), programs)
        await driver.teardown(namespacePath(owner), stored.request)
      }
      // Without rules of its own, a container's traces on the network vanish with its namespace; but one that another
      // container still uses keeps the interface, and the address is about to be given to somebody else.
      else if (existsSync(`/sys/class/net/${linkOf(owner)}`) && (await isShared(owner)))
        await bridges.ip([`link del ${linkOf(owner)}`])
      await deleteNetworkNamespace(namespacePath(owner))
      await requests.forget(owner)
      await release(owner)
    },
    async rename(owner, name, aliases) {
      const stored = await requests.read(owner)
      if (!stored) return
      await using _ = await lock(stored.networkId)
      await using _machine = await machineLock(progress)
      const { networks } = stored.request
      const renamed = Object.entries(networks).map(([key, one]) => [key, { ...one, aliases: [...aliases] }])
      const request = { ...stored.request, container_name: name, networks: Object.fromEntries(renamed) }
      await requests.keep(owner, { ...stored, request })
      await replaceNames(directory, keyOf(stored.networkId), owner, [...new Set([name, ...aliases])])
    },
    async takeDown(network) {
      const { document } = network
      await using _ = await lock(network.id)
      if ((await store.addresses.list(network.id)).length > 0) return false
      if (existsSync(`/sys/class/net/${document.interfaceName}`)) await bridges.takeDown(entryOf(network))
      return true
    },
    takeDownOrphans: () => bridges.takeDownOrphans(),
  }
}

/** Nothing that needs rules or names of its own. */
function isSimple({ document }: Network, { ports }: Connection): boolean {
  return ports.length === 0 && !document.dns && bridgeSettings(document.options).betweenContainers
}

function hasRules(request: NetavarkRequest): boolean {
  return request.port_mappings.length > 0 || Object.values(request.network_info).some((one) => one.dns_enabled)
}

function reservedOn({ document: { gateway, auxiliary = {} } }: Network): string[] {
  return [gateway, ...Object.values(auxiliary)]
}

function* freeAddresses(network: Network): Generator<string> {
  const { subnet, ipRange } = network.document
  const reserved = new Set(reservedOn(network))
  for (const address of hostAddresses(parseSubnet(subnet), parseSubnet(ipRange ?? subnet, 32)))
    if (!reserved.has(address)) yield address
}

/** An address that somebody chose, in docker's words when it cannot be. */
function assertFits(network: Network, address: string): string {
  const subnet = parseSubnet(network.document.subnet)
  const number = parseAddress(address)
  if (number === undefined || !contains(subnet, number))
    throw new BaleError(
      'INVALID_ARGUMENT',
      `invalid address ${printable(address)}: it does not belong to any of this network's subnets`,
      { hint: `network ${network.name} has ${network.document.subnet}` },
    )
  if (!isHostAddress(subnet, number) || reservedOn(network).includes(address))
    throw new BaleError('CONFLICT', `Address already in use: ${address}`)
  return address
}

/** The same host part as the IPv4 address, so that there is one claim for both. */
function ipv6Of({ subnet, ipv6 }: NetworkDocument, address: string): Pick<Connection, 'ipv6'> {
  if (!ipv6) return {}
  const { base, prefix } = parseSubnet6(ipv6.subnet)
  const offset = parseAddress(address)! - parseSubnet(subnet).base
  // The gateway's own host part may be another one than in IPv4.
  const taken = parseAddress6(ipv6.gateway) === base + BigInt(offset)
  const host = BigInt(offset) + (taken ? 2n ** 24n : 0n)
  return { ipv6: { address: formatAddress6(base + host), prefix, gateway: ipv6.gateway } }
}
