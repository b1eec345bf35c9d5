import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { BaleError, errnoOf } from '#base'
import type { Store } from '#store'
import type { PortRequest } from '../options.ts'

export interface PublishedPort {
  /** `0.0.0.0`: all addresses. */
  hostIp: string
  hostPort: number
  containerPort: number
  protocol: 'tcp' | 'udp' | 'sctp'
}

/** Docker's range for ports that nobody named. */
const RANDOM_PORTS = { from: 32768, to: 60999 }

/**
 * Gives a container its host ports: claimed in the store against other containers, and tried by binding against
 * programs of this machine (a rule would silently take their traffic). All or nothing.
 */
export async function claimPorts(
  store: Pick<Store, 'ports'>,
  owner: string,
  requests: readonly PortRequest[],
): Promise<PublishedPort[]> {
  if (requests.length === 0) return []
  const ports = requests.map((request) => ({ ...request, hostIp: request.hostAddress || '0.0.0.0' }))
  const taken = await store.ports.list()
  const used = new Set(taken.map(({ protocol, port }) => `${protocol}/${port}`))
  const choices: { hostIp: string; protocol: PublishedPort['protocol']; candidates: number[] }[] = []
  for (const { hostIp, protocol, hostPort, hostPortEnd } of ports) {
    const fixed = hostPort !== undefined && hostPortEnd === undefined
    const port = fixed
      ? hostPort
      : await freePort(hostIp, protocol, hostPort ?? RANDOM_PORTS.from, hostPortEnd ?? RANDOM_PORTS.to, used)
    // A port that another container holds is the store's to refuse, in docker's words.
    if (fixed && !used.has(`${protocol}/${port}`) && !(await canBind(hostIp, port, protocol)))
      throw new BaleError(
        'CONFLICT',
        `cannot publish port: listen ${protocol} ${hostIp}:${port}: bind: address already in use`,
        { hint: `another program of this machine uses it: ss -lnp 'sport = :${port}'` },
      )
    used.add(`${protocol}/${port}`)
    choices.push({ hostIp, protocol, candidates: [port] })
  }
  const claimed = await store.ports.allocate(owner, choices)
  return claimed.map(({ hostIp, port, protocol }, index) => ({
    hostIp,
    hostPort: port,
    containerPort: ports[index]!.containerPort,
    protocol,
  }))
}

async function freePort(
  hostIp: string,
  protocol: PublishedPort['protocol'],
  from: number,
  to: number,
  used: ReadonlySet<string>,
): Promise<number> {
  for (let port = from; port <= to; port++)
    if (!used.has(`${protocol}/${port}`) && (await canBind(hostIp, port, protocol))) return port
  throw new BaleError('CONFLICT', `all ${protocol} ports of ${from}-${to} are in use on ${hostIp}`)
}

function canBind(address: string, port: number, protocol: PublishedPort['protocol']): Promise<boolean> {
  if (protocol === 'sctp') return Promise.resolve(true)
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      if (errnoOf(error) === 'EADDRINUSE') return resolve(false)
      const why = errnoOf(error) === 'EADDRNOTAVAIL' ? 'this machine has no such address' : error.message
      reject(new BaleError('NETWORK_SETUP_FAILED', `cannot publish port ${address}:${port}: ${why}`, { cause: error }))
    }
    if (protocol === 'tcp') {
      const server = createServer()
      server.once('error', failed)
      server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)))
    } else {
      const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
      socket.once('error', failed)
      socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(true)))
    }
  })
}
