/** Networks, addresses and ports of a store without containers, in memory: what the container room's network parts need of one. */
import { BaleError } from '../../src/base/index.ts'
import type { ClaimedPort, NetworkRecord, Store } from '../../src/store/index.ts'

export function memoryClaims(run: string): Store {
  const networks = new Map<string, NetworkRecord>()
  const addresses: { network: string; owner: string; address: string }[] = []
  const ports: ClaimedPort[] = []
  const drop = <T>(list: T[], unwanted: (one: T) => boolean) => {
    for (let index = list.length - 1; index >= 0; index--) if (unwanted(list[index]!)) list.splice(index, 1)
  }
  const find = async (key: string) => [...networks.values()].find((one) => one.id === key || one.name === key)
  return {
    run,
    root: run,
    networks: {
      add: async (record: NetworkRecord) => void networks.set(record.id, structuredClone(record)),
      find,
      list: async () => [...networks.values()],
      update: async (id: string, change: (record: NetworkRecord) => NetworkRecord) => {
        const record = networks.get(id)
        if (record) networks.set(id, change(record))
        return networks.get(id)
      },
      remove: async (id: string) => networks.delete(id),
    },
    // Steps have none.
    containers: { list: async () => [] },
    addresses: {
      allocate: async ({
        network,
        owner,
        candidates,
      }: {
        network: string
        owner: string
        candidates: Iterable<string>
      }) => {
        for (const address of candidates)
          if (!addresses.some((one) => one.network === network && one.address === address)) {
            addresses.push({ network, owner, address })
            return address
          }
        throw new BaleError('NETWORK_SETUP_FAILED', 'Address already in use')
      },
      list: async (network: string) => addresses.filter((one) => one.network === network),
      release: async (owner: string) => drop(addresses, (one) => one.owner === owner),
    },
    ports: {
      allocate: async (owner: string, requests: { hostIp: string; protocol: 'tcp'; candidates: Iterable<number> }[]) =>
        requests.map(({ hostIp, protocol, candidates }) => {
          const [port = 0] = candidates
          if (ports.some((one) => one.port === port && one.protocol === protocol))
            throw new BaleError('CONFLICT', `Bind for ${hostIp}:${port} failed: port is already allocated`)
          ports.push({ hostIp, protocol, port, owner })
          return ports.at(-1)!
        }),
      list: async () => ports,
      release: async (owner: string) => drop(ports, (one) => one.owner === owner),
    },
  } as unknown as Store
}
