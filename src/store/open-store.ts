import { noLog, systemClock } from '#base'
import { createFileBlobs } from '#blob'
import { keepReserve } from '#host/file'
import { type Core, createLayers } from '#store/content'
import { createEvents } from '#store/events'
import { createImages } from '#store/images'
import { createWorkersWhenNeeded } from '#store/layer-jobs'
import type { Lease } from '#store/leases'
import {
  createAddresses,
  createBuildCache,
  createContainers,
  createNetworks,
  createPorts,
  createVolumes,
} from '#store/records'
import { openDatabase, prepareLayout } from '#store/rows'
import { beginOperation } from './operation.ts'
import type { Store, StoreOptions } from './store.ts'
import { createStoreSource } from './store-place.ts'

/** Opens the store, making it when it is missing. Takes a few milliseconds; threads and locks come when needed. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { clock = systemClock, log = noLog, kinds = {} } = options
  const layout = prepareLayout(options.root, options.run)
  keepReserve(layout.root)
  const database = openDatabase(layout.database, { untilExit: options.untilExit })
  const core: Core = {
    database,
    layout,
    blobs: createFileBlobs({ directory: layout.blobs, temporary: layout.temporary }),
    workers: createWorkersWhenNeeded(options.layerFormats, options.workers),
    formats: options.layerFormats,
    clock,
    log,
  }
  const images = createImages(core)
  const layers = createLayers(core)
  const source = createStoreSource(core, images)
  const operations = new Set<Lease>()
  let open = true
  return {
    root: layout.root,
    run: layout.run,
    images,
    layers,
    containers: createContainers(core, kinds.container),
    volumes: createVolumes(core, kinds.volume),
    networks: createNetworks(core, kinds.network),
    addresses: createAddresses(core),
    ports: createPorts(core),
    buildCache: createBuildCache(core),
    events: createEvents(core),
    ...source,
    operation: (purpose) => beginOperation(core, images, source, operations, purpose),
    diskUsage: async () => (await import('#store/collection')).diskUsage(core),
    collect: async () => (await import('#store/collection')).collect(core),
    recovery: {
      sweeps: 'leases of the dead, partial downloads, content that nothing refers to',
      recover: async () => (await import('#store/collection')).recoverStore(core),
    },
    check: async (how) => (await import('#store/collection')).check(core, how),
    async [Symbol.asyncDispose]() {
      if (!open) return
      open = false
      await core.workers[Symbol.asyncDispose]()
      for (const lease of operations) lease.end()
      operations.clear()
      database[Symbol.dispose]()
    },
  }
}
