import { noLog, systemClock } from '#base'
import { createFileBlobs } from '#blob'
import { check } from './check.ts'
import { collect } from './collect.ts'
import type { Core } from './core.ts'
import { openDatabase } from './database.ts'
import { diskUsage } from './disk-usage.ts'
import { createImages } from './images.ts'
import { createLayerWorkers } from './layer-workers.ts'
import { createLayers } from './layers.ts'
import { prepareLayout } from './layout.ts'
import { createLease, createSession } from './leases.ts'
import { createAddresses, createPorts } from './network-claims.ts'
import { createBuildCache, createContainers, createNetworks, createVolumes } from './records.ts'
import type { Store, StoreOptions } from './store.ts'
import { createStorePlace } from './store-place.ts'

/** Opens the store, making it when it is missing. Takes a few milliseconds; threads and locks come when needed. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { clock = systemClock, log = noLog } = options
  const layout = prepareLayout(options.root, options.run)
  const database = openDatabase(layout.database)
  const core: Core = {
    database,
    layout,
    blobs: createFileBlobs({ folder: layout.blobs, temporary: layout.temporary }),
    session: createSession(database, clock),
    workers: createLayerWorkers(options.workers),
    formats: [options.layerFormat, ...(options.otherFormats ?? [])],
    releaseLayer: options.releaseLayer ?? (async () => undefined),
    clock,
    log,
  }
  const images = createImages(core)
  const layers = createLayers(core)
  let open = true
  return {
    root: layout.root,
    run: layout.run,
    images,
    layers,
    containers: createContainers(core),
    volumes: createVolumes(core),
    networks: createNetworks(core),
    addresses: createAddresses(core),
    ports: createPorts(core),
    buildCache: createBuildCache(core),
    ...createStorePlace(core, images, layers),
    lease: async (lease = {}) => createLease(database, clock, lease),
    diskUsage: () => diskUsage(core),
    collect: () => collect(core),
    check: (how) => check(core, how),
    async [Symbol.asyncDispose]() {
      if (!open) return
      open = false
      await core.workers[Symbol.asyncDispose]()
      core.session.end()
      database[Symbol.dispose]()
    },
  }
}
