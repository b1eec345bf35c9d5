import { noLog, systemClock } from '#base'
import { createFileBlobs } from '#blob'
import type { Core } from './core.ts'
import { openDatabase } from './database.ts'
import { createImages } from './images.ts'
import type { LayerWorkers } from './layer-workers.ts'
import { createLayers } from './layers.ts'
import { prepareLayout } from './layout.ts'
import { createLease, createSession } from './leases.ts'
import { createAddresses, createPorts } from './network-claims.ts'
import { createBuildCache, createContainers, createNetworks, createVolumes } from './records.ts'
import { keepReserve } from './reserve.ts'
import type { Store, StoreOptions } from './store.ts'
import { createStorePlace } from './store-place.ts'

/** Opens the store, making it when it is missing. Takes a few milliseconds; threads and locks come when needed. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { clock = systemClock, log = noLog } = options
  const layout = prepareLayout(options.root, options.run)
  keepReserve(layout.root)
  const database = openDatabase(layout.database)
  const core: Core = {
    database,
    layout,
    blobs: createFileBlobs({ directory: layout.blobs, temporary: layout.temporary }),
    session: createSession(database, clock),
    workers: createWorkersWhenNeeded(options.workers),
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
    ...createStorePlace(core, images),
    lease: async (lease = {}) => createLease(database, clock, lease),
    diskUsage: async () => (await import('./disk-usage.ts')).diskUsage(core),
    collect: async () => (await import('./collect.ts')).collect(core),
    check: async (how) => (await import('./check.ts')).check(core, how),
    async [Symbol.asyncDispose]() {
      if (!open) return
      open = false
      await core.workers[Symbol.asyncDispose]()
      core.session.end()
      database[Symbol.dispose]()
    },
  }
}

/** Most commands write no layer: neither threads nor the code behind them are loaded for those. */
function createWorkersWhenNeeded(count: number | undefined): LayerWorkers {
  let workers: Promise<LayerWorkers> | undefined
  const made = async () => (await import('./layer-workers.ts')).createLayerWorkers(count)
  return {
    async run(job, open, options) {
      workers ??= made()
      return (await workers).run(job, open, options)
    },
    async [Symbol.asyncDispose]() {
      await (await workers)?.[Symbol.asyncDispose]()
    },
  }
}
