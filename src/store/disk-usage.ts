import type { CacheRecord, ContainerRecord, VolumeRecord } from './records.ts'
import type { StoredImage } from './stored-image.ts'

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
