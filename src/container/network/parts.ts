import { join } from 'node:path'
import { type Log, noLog, type Progress, toldBy } from '#base'
import { acquireLock } from '#host/file'
import { databasePath, type Store } from '#store'
import type { Network } from '../model/index.ts'
import { openRecords, type Records } from '../records/index.ts'
import type { Programs } from '../runtime/index.ts'
import { type BridgeEntry, ownNamespace } from './bridge-registry.ts'
import { type Bridges, openBridges } from './bridges.ts'
import { type Firewall, firewall } from './firewall.ts'
import { type Netavark, netavark } from './netavark.ts'
import { standInRequest } from './netavark-request.ts'
import { type StoredRequests, storedRequests } from './stored-requests.ts'

/** What joining and leaving networks needs. One per store. */
export interface NetworkParts {
  readonly store: Store
  readonly records: Records
  readonly programs: Programs
  readonly progress: Progress
  /** netavark's state and that of its name server. */
  readonly directory: string
  readonly driver: Netavark
  readonly walls: Firewall
  readonly bridges: Bridges
  readonly requests: StoredRequests
}

export interface NetworkPartsOptions {
  store: Store
  programs: Programs
  /** Receives a line when a wait takes long. */
  log?: Log
}

export function openNetworkParts({ store, programs, log = noLog }: NetworkPartsOptions): NetworkParts {
  const directory = join(store.run, 'network')
  const progress = toldBy(log)
  const driver = netavark(programs, directory)
  const walls = firewall(programs, progress)
  return {
    store,
    records: openRecords(store),
    programs,
    progress,
    directory,
    driver,
    walls,
    bridges: openBridges({ progress, programs, driver, walls, namespaces: namespacesOf(store) }),
    requests: storedRequests(join(directory, 'requests')),
  }
}

const namespacesOf = (store: Store) => join(store.run, 'netns')

/** Path of the network namespace of a container or step. */
export function namespacePath({ store }: Pick<NetworkParts, 'store'>, owner: string): string {
  return join(namespacesOf(store), owner.slice(0, 16))
}

/** Held while a network's addresses, bridge or names change. */
export function lockNetwork({ store, progress }: NetworkParts, networkId: string): Promise<AsyncDisposable> {
  return acquireLock(join(store.run, 'locks', `network-${networkId}`), {
    progress,
    what: `the network ${networkId.slice(0, 12)}, which another command changes`,
  })
}

/** Takes the bridge of a network down, also when the store is gone. */
export function bridgeEntry({ store }: NetworkParts, network: Network): BridgeEntry {
  return {
    interfaceName: network.document.interfaceName,
    database: databasePath(store.root),
    namespace: ownNamespace(),
    request: standInRequest(network),
  }
}
