import { join } from 'node:path'
import { treeSize } from '#host'
import type { Digest } from '#spec'
import type { Core } from '#store/content'
import { allImages, type StoredImage } from '#store/images'
import {
  type CacheRecord,
  type ContainerRecord,
  createBuildCache,
  createContainers,
  createVolumes,
  type VolumeRecord,
} from '#store/records'
import { manifestsOf } from '#store/rows'

export interface ImageUsage {
  image: StoredImage
  /** Bytes on disk of layers and blobs that other images use too, and that it uses alone. */
  shared: number
  unique: number
  /** Containers made from it. */
  containers: number
}

/** Bytes on disk. */
export interface DiskUsage {
  images: ImageUsage[]
  /** All layers and blobs, each once. */
  layersSize: number
  /** Layers and blobs of images that no container uses. */
  imagesReclaimable: number
  containers: { record: ContainerRecord; size: number }[]
  volumes: { record: VolumeRecord; size: number }[]
  cache: { record: CacheRecord; shared: boolean }[]
  /** Layers that only build cache records hold. */
  cacheSize: number
}

interface Held {
  kind: 'layer' | 'blob'
  digest: Digest
}

export async function diskUsage(core: Core): Promise<DiskUsage> {
  const { database, layout } = core
  const sizes = new Map<string, number>()
  const layers = database.all<{ digest: Digest; size: number }>(
    'SELECT diff_id AS digest, disk_size AS size FROM layers',
  )
  const blobs = database.all<{ digest: Digest; size: number }>('SELECT digest, size FROM blobs')
  for (const { digest, size } of layers) sizes.set(`layer ${digest}`, size)
  for (const { digest, size } of blobs) sizes.set(`blob ${digest}`, size)
  const sizeOf = (things: Iterable<string>) => [...things].reduce((sum, thing) => sum + (sizes.get(thing) ?? 0), 0)

  const images = allImages(core)
  const held = new Map(images.map((image) => [image.id, heldBy(core, image.id)]))
  const users = new Map<string, number>()
  for (const things of held.values()) for (const thing of things) users.set(thing, (users.get(thing) ?? 0) + 1)
  const containers = await containerUsage(core)
  const usedBy = (id: Digest) => containers.filter(({ record }) => record.imageId === id).length
  const active = new Set(images.filter(({ id }) => usedBy(id) > 0).flatMap(({ id }) => [...held.get(id)!]))
  const ofImages = new Set([...held.values()].flatMap((things) => [...things]))
  const cache = await createBuildCache(core).list()
  const ofCache = new Set(cache.flatMap(({ layers: ids }) => ids.map((digest) => `layer ${digest}`)))
  return {
    images: images.map((image) => {
      const things = [...held.get(image.id)!]
      return {
        image,
        shared: sizeOf(things.filter((thing) => users.get(thing)! > 1)),
        unique: sizeOf(things.filter((thing) => users.get(thing) === 1)),
        containers: usedBy(image.id),
      }
    }),
    layersSize: sizeOf(ofImages),
    imagesReclaimable: sizeOf([...ofImages].filter((thing) => !active.has(thing))),
    containers,
    volumes: await Promise.all(
      (await createVolumes(core).list()).map(async (record) => ({
        record,
        size: treeSize(join(layout.volumes, record.name)),
      })),
    ),
    cache: cache.map((record) => ({
      record,
      shared: record.layers.some((digest) => ofImages.has(`layer ${digest}`)),
    })),
    cacheSize: sizeOf([...ofCache].filter((thing) => !ofImages.has(thing))),
  }
}

/** Layers and blobs of all manifests of an image. */
function heldBy(core: Core, image: Digest): Set<string> {
  const sql = `SELECT kind, child AS digest FROM edges WHERE parent = ? AND kind IN ('layer', 'blob')`
  const rows = manifestsOf(core, image).flatMap(({ digest }) => core.database.all<Held>(sql, digest))
  return new Set(rows.map(({ kind, digest }) => `${kind} ${digest}`))
}

async function containerUsage(core: Core): Promise<DiskUsage['containers']> {
  const records = await createContainers(core).list()
  return Promise.all(
    records.map(async (record) => ({
      record,
      size: treeSize(join(core.layout.containers, record.id, 'upper')),
    })),
  )
}
