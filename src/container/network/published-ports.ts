import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { BaleError, errnoOf, isBaleError } from '#base'
import type { ClaimedPort, Store } from '#store'
import type { PortRequest, PublishedPort } from '../model/index.ts'

/** Docker's range for unspecified ports. */
const RANDOM_PORTS = { from: 32768, to: 60999 }

/** A random port may be taken by another container between the check and the claim. */
const ATTEMPTS = 5

/**
 * Gives a container its host ports: claimed in the store against other containers, and tried by binding against
 * programs of this machine (a rule would silently take their traffic). All or nothing; a port that is requested twice is given
 * once. `address` is the host's for ports that name none.
 */
export async function claimPorts(
  store: Pick<Store, 'ports'>,
  owner: string,
  requests: readonly PortRequest[],
  { address = '0.0.0.0', ipv6 = false }: { address?: string; ipv6?: boolean } = {},
): Promise<PublishedPort[]> {
  const wanted = withoutDoubles(
    requests.map((request) => ({ ...request, hostIps: hostAddresses(request.hostAddress || address, ipv6) })),
  )
  if (wanted.length === 0) return []
  for (let attempt = 1; ; attempt++) {
    const choices = await choosePorts(wanted, await store.ports.list())
    try {
      const claimed = await store.ports.allocate(owner, choices)
      return claimed.map(({ hostIp, port, protocol }, index) => ({
        hostIp,
        hostPort: port,
        containerPort: choices[index]!.containerPort,
        protocol,
      }))
    } catch (error) {
      if (!isBaleError(error, 'CONFLICT') || attempt === ATTEMPTS || wanted.every(isFixed)) throw error
    }
  }
}

type Wanted = PortRequest & { hostIps: string[] }

const isFixed = ({ hostPort, hostPortEnd }: Wanted) => hostPort !== undefined && hostPortEnd === undefined

/** The addresses that a port listens on: "every address" means one of each family that the network has. */
function hostAddresses(address: string, ipv6: boolean): string[] {
  if (ipv6) return address === '0.0.0.0' || address === '::' ? ['0.0.0.0', '::'] : [address]
  if (!address.includes(':')) return [address]
  throw new BaleError('UNSUPPORTED', `cannot publish a port on ${shown(address)}: the network has IPv4 only`, {
    hint: 'publish it on an IPv4 address, or use a network created with IPv6',
  })
}

function withoutDoubles(ports: readonly Wanted[]): Wanted[] {
  const key = (port: Wanted) =>
    [port.hostIps, port.hostPort, port.hostPortEnd, port.containerPort, port.protocol].join()
  return [...new Map(ports.map((port) => [key(port), port])).values()]
}

async function choosePorts(wanted: readonly Wanted[], taken: readonly ClaimedPort[]) {
  const used = new Set(taken.map(({ protocol, port }) => `${protocol}/${port}`))
  // Those that were named first: a random one must not take them.
  for (const port of wanted.filter(isFixed)) await assertFree(port, port.hostPort!, used)
  for (const port of wanted.filter(isFixed)) used.add(`${port.protocol}/${port.hostPort}`)
  const choices: {
    hostIp: string
    protocol: PublishedPort['protocol']
    candidates: number[]
    containerPort: number
  }[] = []
  for (const port of wanted) {
    const chosen = isFixed(port) ? port.hostPort! : await freePort(port, used)
    used.add(`${port.protocol}/${chosen}`)
    const { protocol, containerPort } = port
    for (const hostIp of port.hostIps) choices.push({ hostIp, protocol, candidates: [chosen], containerPort })
  }
  return choices
}

/** A port held by another container is refused by the store, with docker's message. */
async function assertFree({ hostIps, protocol }: Wanted, port: number, used: ReadonlySet<string>): Promise<void> {
  if (used.has(`${protocol}/${port}`) || (await canBindAll(hostIps, port, protocol))) return
  const [hostIp = ''] = hostIps
  throw new BaleError(
    'CONFLICT',
    `failed to bind host port ${shown(hostIp)}:${port}/${protocol}: address already in use`,
    {
      hint: `another program of this machine uses it: ss -lnp 'sport = :${port}'`,
    },
  )
}

async function freePort(
  { hostIps, protocol, hostPort: from = RANDOM_PORTS.from, hostPortEnd: to = RANDOM_PORTS.to }: Wanted,
  used: ReadonlySet<string>,
): Promise<number> {
  for (let port = from; port <= to; port++)
    if (!used.has(`${protocol}/${port}`) && (await canBindAll(hostIps, port, protocol))) return port
  throw new BaleError('CONFLICT', `all ${protocol} ports of ${from}-${to} are in use on ${shown(hostIps[0] ?? '')}`)
}

const shown = (address: string) => (address.includes(':') ? `[${address}]` : address)

async function canBindAll(addresses: readonly string[], port: number, protocol: PublishedPort['protocol']) {
  for (const address of addresses) if (!(await canBind(address, port, protocol))) return false
  return true
}

function canBind(address: string, port: number, protocol: PublishedPort['protocol']): Promise<boolean> {
  if (protocol === 'sctp') return Promise.resolve(true)
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      if (errnoOf(error) === 'EADDRINUSE') return resolve(false)
      const why =
        errnoOf(error) === 'EADDRNOTAVAIL'
          ? 'cannot assign requested address: this machine has no such address'
          : error.message
      reject(
        new BaleError(
          'NETWORK_SETUP_FAILED',
          `failed to bind host port ${shown(address)}:${port}/${protocol}: ${why}`,
          { cause: error },
        ),
      )
    }
    if (protocol === 'tcp') {
      const server = createServer()
      server.once('error', failed)
      server.listen({ host: address, port, exclusive: true, ipv6Only: address.includes(':') }, () =>
        server.close(() => resolve(true)),
      )
    } else {
      const ipv6Only = address.includes(':')
      const socket = createSocket({ type: ipv6Only ? 'udp6' : 'udp4', ipv6Only })
      socket.once('error', failed)
      socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(true)))
    }
  })
}
