import { existsSync, readdirSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { createNetworkNamespace, deleteNetworkNamespace, runProgram } from '#host'
import { acquireLock, readText } from '#host/file'
import type { Store } from '#store'
import type { PortRequest } from '../options.ts'
import type { Programs } from '../runtime/programs.ts'
import { contains, formatSubnet, gatewayOf, hostAddresses, overlaps, parseAddress, parseSubnet } from './address.ts'
import { type BridgeEntry, ownNamespace, rememberBridge } from './bridge-registry.ts'
import { openBridges } from './bridges.ts'
import { type NetavarkRequest, netavark } from './netavark.ts'
import { anchorNames, macOf, netavarkRequest, standInRequest } from './netavark-request.ts'
import { DEFAULT_NETWORK, type Network, type NetworkDocument } from './network.ts'
import { claimPorts, type PublishedPort } from './published-ports.ts'
import { freeSubnet, routedSubnets } from './subnet-pool.ts'

/** One container's place on a network. */
export interface Connection {
  networkId: string
  networkName: string
  address: string
  /** Length of the prefix. */
  prefix: number
  gateway: string
  mac: string
  aliases: string[]
  ports: PublishedPort[]
  /** The network's own server answers names. */
  dns: boolean
}

export interface ClaimRequest {
  /** Container ID, or another owner of the same form. */
  owner: string
  network: Network
  ports?: readonly PortRequest[]
  aliases?: readonly string[]
  /** A fixed address. */
  address?: string
}

/** Joins containers to networks of this machine. One per store. */
export interface Connections {
  /** Address, MAC and ports for a container, claimed in the store; `release` gives them back. */
  claim(request: ClaimRequest): Promise<Connection>
  /** Gives the namespace its interface, routes, rules and name; takes 50–60 ms. Undone by `disconnect`. */
  connect(options: ConnectOptions): Promise<void>
  /** Takes interface, rules and name away, removes the namespace, gives the claims back. May be called twice. */
  disconnect(owner: string): Promise<void>
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
}

interface StoredRequest {
  networkId: string
  request: NetavarkRequest
}

export function connections({ store, programs }: ConnectionsOptions): Connections {
  const folder = join(store.run, 'network')
  const requestPath = (owner: string) => join(folder, 'requests', `${owner}.json`)
  const namespacePath = (owner: string) => join(store.run, 'netns', owner.slice(0, 16))
  const lock = (networkId: string) => acquireLock(join(store.run, 'locks', `network-${networkId}`))
  const driver = netavark(programs, folder)
  const env = { PATH: programs.searchPath }

  const bridges = openBridges({ programs, driver, namespaces: join(store.run, 'netns') })
  const { ip } = bridges
  const entryOf = (network: Network): BridgeEntry => ({
    interfaceName: network.document.interfaceName,
    database: join(store.root, 'bale.db'),
    namespace: ownNamespace(),
    request: standInRequest(network),
  })

  /** netavark removes a bridge with its last container; a link that belongs to nobody keeps it for the next one. */
  const addAnchor = async (document: NetworkDocument) => {
    const [anchor, peer] = anchorNames(document)
    if (existsSync(`/sys/class/net/${anchor}`)) return
    await ip([`link add ${anchor} type veth peer name ${peer}`, `link set ${anchor} master ${document.interfaceName}`])
  }

  /**
   * Joins a bridge that is up, its rules in place, with two calls of ip(8) instead of netavark's fifteen programs:
   * the pair is made inside the namespace and its other end given to ours.
   */
  const joinBridge = async (owner: string, { document }: Network, connection: Connection) => {
    const link = `bv-${owner.slice(0, 12)}`
    const mtu = document.options['mtu']
    const inside = [
      `link set lo up`,
      `link add eth0 address ${connection.mac}${mtu ? ` mtu ${mtu}` : ''} type veth peer name ${link}${mtu ? ` mtu ${mtu}` : ''} netns ${process.pid}`,
      `addr add ${connection.address}/${connection.prefix} brd + dev eth0`,
      `link set eth0 up`,
      ...(document.internal ? [] : [`route add default via ${connection.gateway}`]),
    ]
    const args = [`--net=${namespacePath(owner)}`, programs.need('ip'), '-batch', '-']
    const result = await runProgram(programs.need('nsenter'), args, { env, input: `${inside.join('\n')}\n` })
    if (result.code !== 0)
      throw new BaleError('NETWORK_SETUP_FAILED', `cannot connect the container: ${result.stderr.trim()}`)
    await ip([`link set ${link} master ${document.interfaceName} up`])
  }

  const readRequest = async (owner: string): Promise<StoredRequest | undefined> => {
    try {
      return JSON.parse(await readText(requestPath(owner))) as StoredRequest
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  /** Written before the set-up begins, so that whatever it leaves can be undone by another process. */
  const keepRequest = async (owner: string, stored: StoredRequest) => {
    await mkdir(join(folder, 'requests'), { recursive: true, mode: 0o700 })
    await writeFile(`${requestPath(owner)}.new`, JSON.stringify(stored), { mode: 0o600 })
    await rename(`${requestPath(owner)}.new`, requestPath(owner))
  }

  /** The default network moves to another range when its own is in use by now and nobody is on it. */
  const settled = async (network: Network): Promise<Network> => {
    const { document } = network
    if (existsSync(`/sys/class/net/${document.interfaceName}`)) return network
    const routes = routedSubnets(document.interfaceName)
    if (!routes.some((route) => overlaps(route, parseSubnet(document.subnet)))) return network
    if (network.name !== DEFAULT_NETWORK || (await store.addresses.list(network.id)).length > 0)
      throw new BaleError(
        'NETWORK_SETUP_FAILED',
        `range ${document.subnet} of network ${network.name} is in use here`,
        {
          hint: 'remove the network and create it with another --subnet',
        },
      )
    const others = (await store.networks.list<NetworkDocument>()).map((one) => parseSubnet(one.document.subnet))
    const subnet = freeSubnet('large', [...routes, ...others])
    const moved = { ...document, subnet: formatSubnet(subnet), gateway: gatewayOf(subnet) }
    const updated = await store.networks.update<NetworkDocument>(network.id, (one) => ({ ...one, document: moved }))
    return updated ?? network
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
    async claim({ owner, network: asked, ports = [], aliases = [], address }) {
      await using _ = await lock(asked.id)
      const network = await settled(asked)
      const subnet = parseSubnet(network.document.subnet)
      const number = address === undefined ? undefined : parseAddress(address)
      if (address !== undefined && (number === undefined || !contains(subnet, number)))
        throw new BaleError('INVALID_ARGUMENT', `address ${address} is not in ${network.document.subnet}`)
      try {
        const candidates = address === undefined ? addressesBut(network.document.gateway, subnet) : [address]
        const given = await store.addresses.allocate({ network: network.id, owner, candidates })
        return {
          networkId: network.id,
          networkName: network.name,
          address: given,
          prefix: subnet.prefix,
          gateway: network.document.gateway,
          mac: macOf(given),
          aliases: [...aliases],
          ports: network.document.internal ? [] : await claimPorts(store, owner, ports),
          dns: network.document.dns,
        }
      } catch (error) {
        await release(owner)
        throw error
      }
    },
    async connect({ owner, name, network: asked, connection, dnsServers }) {
      await using _ = await lock(asked.id)
      const network = (await store.networks.find<NetworkDocument>(asked.id)) ?? asked
      const request = netavarkRequest(owner, name, network, connection, dnsServers)
      if (isSimple(network, connection) && existsSync(`/sys/class/net/${anchorNames(network.document)[0]}`)) {
        await joinBridge(owner, network, connection)
        return
      }
      await bridges.takeDownOrphans()
      await rememberBridge(entryOf(network))
      await keepRequest(owner, { networkId: network.id, request })
      await driver.setup(namespacePath(owner), request)
      if (connection.ports.length) await allowHairpin(network.document)
      await addAnchor(network.document)
    },
    async disconnect(owner) {
      const stored = await readRequest(owner)
      if (stored) {
        const { request } = stored
        const hasRules =
          request.port_mappings.length > 0 || Object.values(request.network_info).some((one) => one.dns_enabled)
        if (hasRules) {
          await using _ = await lock(stored.networkId)
          if (!existsSync(namespacePath(owner))) await createNetworkNamespace(namespacePath(owner), programs)
          await driver.teardown(namespacePath(owner), request)
        }
      }
      // Without rules of its own, a container's traces on the network vanish with its namespace.
      await deleteNetworkNamespace(namespacePath(owner))
      await rm(requestPath(owner), { force: true })
      await release(owner)
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
  return ports.length === 0 && !document.dns && document.options['isolate'] === undefined
}

function* addressesBut(gateway: string, subnet: ReturnType<typeof parseSubnet>): Generator<string> {
  for (const address of hostAddresses(subnet)) if (address !== gateway) yield address
}

/** A container reaches its own published port only when its bridge port sends packets back where they came from. */
async function allowHairpin(document: NetworkDocument): Promise<void> {
  const ports = `/sys/class/net/${document.interfaceName}/brif`
  for (const port of readdirSync(ports)) await writeFile(join(ports, port, 'hairpin_mode'), '1')
}
