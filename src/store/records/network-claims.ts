import { BaleError } from '#base'
import type { Rows } from '#store/rows'

/**
 * Addresses of networks, each assigned to one owner at a time across processes. After a power cut nobody uses any, so no
 * claim waits for the disk.
 */
export interface Addresses {
  /**
   * The first free one of the candidates, in one transaction; an owner may hold several. Throws NETWORK_SETUP_FAILED
   * when all are taken (one candidate: "Address already in use").
   */
  allocate(claim: { network: string; owner: string; candidates: Iterable<string> }): Promise<string>
  list(network: string): Promise<{ address: string; owner: string }[]>
  /** Gives back what the owner holds, in one network or in all. */
  release(owner: string, network?: string): Promise<void>
}

export interface PortRequest {
  /** `0.0.0.0` and `::` mean every address of their family. */
  hostIp: string
  protocol: 'tcp' | 'udp' | 'sctp'
  /** Tried in order. */
  candidates: Iterable<number>
}

export interface ClaimedPort {
  hostIp: string
  protocol: 'tcp' | 'udp' | 'sctp'
  port: number
  owner: string
}

/** As with addresses, no claim waits for the disk. */
export interface Ports {
  /** All or nothing, in the order of the requests. Throws CONFLICT with docker's message. */
  allocate(owner: string, requests: readonly PortRequest[]): Promise<ClaimedPort[]>
  list(): Promise<ClaimedPort[]>
  release(owner: string): Promise<void>
}

export function createAddresses({ database }: Rows): Addresses {
  return {
    allocate: async ({ network, owner, candidates }) =>
      database.unsynced(() => {
        let tried = 0
        for (const address of candidates) {
          tried++
          const sql = 'INSERT OR IGNORE INTO addresses VALUES (?, ?, ?)'
          if (database.run(sql, network, address, owner) > 0) return address
        }
        const words = tried === 1 ? 'Address already in use' : 'no address of the network is free'
        throw new BaleError('NETWORK_SETUP_FAILED', words, { details: { network, owner } })
      }),
    list: async (network) =>
      database.all('SELECT address, owner FROM addresses WHERE network = ? ORDER BY address', network),
    async release(owner, network) {
      database.unsynced(() => {
        if (network === undefined) database.run('DELETE FROM addresses WHERE owner = ?', owner)
        else database.run('DELETE FROM addresses WHERE owner = ? AND network = ?', owner, network)
      })
    },
  }
}

export function createPorts({ database }: Rows): Ports {
  const isFree = (hostIp: string, protocol: string, port: number) => {
    const sql = 'SELECT host_ip AS ip FROM ports WHERE protocol = ? AND port = ?'
    return !database.all<{ ip: string }>(sql, protocol, port).some(({ ip }) => overlap(ip, hostIp))
  }
  const claim = (owner: string, { hostIp, protocol, candidates }: PortRequest): ClaimedPort => {
    let last = 0
    for (const port of candidates) {
      last = port
      if (!isFree(hostIp, protocol, port)) continue
      database.run('INSERT INTO ports VALUES (?, ?, ?, ?)', hostIp, protocol, port, owner)
      return { hostIp, protocol, port, owner }
    }
    const shown = hostIp.includes(':') ? `[${hostIp}]` : hostIp
    throw new BaleError('CONFLICT', `Bind for ${shown}:${last} failed: port is already allocated`, {
      next: { act: 'list-containers', because: 'port' },
    })
  }
  return {
    allocate: async (owner, requests) => database.unsynced(() => requests.map((request) => claim(owner, request))),
    list: async () =>
      database.all('SELECT host_ip AS hostIp, protocol, port, owner FROM ports ORDER BY port, protocol'),
    async release(owner) {
      database.unsynced(() => database.run('DELETE FROM ports WHERE owner = ?', owner))
    },
  }
}

/** An address overlaps itself and its family's "every address". */
function overlap(one: string, other: string): boolean {
  if (one === other) return true
  const sameFamily = one.includes(':') === other.includes(':')
  return sameFamily && [one, other].some((ip) => ip === '0.0.0.0' || ip === '::')
}
