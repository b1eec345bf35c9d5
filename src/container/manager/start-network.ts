import { bothEnded } from '#base'
import type { Rootfs } from '#rootfs'
import { type Connection, type Container, isOwnNetwork, sharedWith } from '../model/index.ts'
import type { OciConfig } from '../spec/index.ts'
import { findContainer, type Machinery, pathsOf } from '../state/index.ts'
import { claimPlaces, joinPlaces, placesOf } from './container-networks.ts'
import { containerSpec, type Prepared, sharedNamespace } from './container-spec.ts'

/** What a start waits for: the configuration can be used while the network is still being connected. */
interface StartInProgress {
  spec: Promise<OciConfig>
  connecting: Promise<unknown>
  /** Recorded with the start; empty when the network is not the container's own. */
  connections: Connection[]
}

type Warn = Prepared['warn']

/** Mounts the root file system, and reserves the addresses and the namespace of the network; both are undone by the caller. */
export async function mountAndReserveNetwork(
  machinery: Machinery,
  record: Container,
  warn: Warn,
): Promise<StartInProgress> {
  const { id } = record
  const mounting = machinery.rootfs.prepareRootfs(record.layers, { id, writable: pathsOf(machinery, id) })
  // It may fail while nobody waits for it yet; whatever needs the mount reports that.
  mounting.catch(() => undefined)
  try {
    const mode = record.document.host.network
    return isOwnNetwork(mode)
      ? await reserveOwnNetwork(machinery, record, mounting, warn)
      : await useNetworkOf(machinery, record, mode ?? '', { mounting, warn })
  } catch (error) {
    // Undoing must not overtake the mount.
    await Promise.allSettled([mounting])
    throw error
  }
}

async function reserveOwnNetwork(
  machinery: Machinery,
  record: Container,
  mounting: Promise<Rootfs>,
  warn: Warn,
): Promise<StartInProgress> {
  const places = await placesOf(machinery, record)
  const [connections, namespace] = await bothEnded(
    claimPlaces(machinery, record, places),
    machinery.networks.createNamespace(record.id),
  )
  const connecting = joinPlaces(machinery, record, places, connections)
  // The caller, which waits for both, reports a failure; until then it must not count as unhandled.
  connecting.catch(() => undefined)
  const spec = mounting.then(({ path }) =>
    containerSpec(machinery, record, { rootfsPath: path, network: { path: namespace }, connections, warn }),
  )
  return { spec, connecting, connections }
}

/** `none`, the machine's network, or that of another container. */
async function useNetworkOf(
  machinery: Machinery,
  record: Container,
  mode: string,
  { mounting, warn }: { mounting: Promise<Rootfs>; warn: Warn },
): Promise<StartInProgress> {
  const network = mode === 'none' ? 'own' : await sharedNamespace(machinery, mode, 'net')
  const owner = await networkOwner(machinery, mode)
  const { path } = await mounting
  const spec = containerSpec(machinery, record, {
    rootfsPath: path,
    network,
    connections: [],
    warn,
    ...(owner && { sharedWith: owner }),
  })
  return { spec, connecting: Promise.resolve(), connections: [] }
}

/** The container whose network is used: that of `container:NAME`, or the one that it shares itself. */
async function networkOwner(machinery: Machinery, mode: string): Promise<Container | undefined> {
  let owner: Container | undefined
  for (let shared = sharedWith(mode); shared !== undefined; shared = sharedWith(owner.document.host.network))
    owner = await findContainer(machinery, shared)
  return owner
}
