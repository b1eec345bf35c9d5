import type { Clock, OperationOptions } from '#base'
import type { RunStep } from '#container'
import type { RootfsMounter } from '#rootfs'
import type { Platform } from '#spec'
import type { Store, StoredImage } from '#store'
import type { FetchedUrl } from '#transport'

/** What a build needs of the machine; the engine wires it. */
export interface BuildMachine {
  store: Pick<Store, 'root' | 'run' | 'layers' | 'images' | 'buildCache' | 'operation'>
  rootfs: Pick<RootfsMounter, 'prepareRootfs' | 'release' | 'releaseUnused'>
  runStep: RunStep
  /** A base image: from the store, fetched when it is missing or when `pull` asks for a newer one. */
  findImage(name: string, options: OperationOptions & { platform: Platform; pull: boolean }): Promise<FoundBase>
  /** The same for what is only planned: nothing but the configuration is fetched. */
  describeImage(name: string, options: OperationOptions & { platform: Platform; pull: boolean }): Promise<DescribedBase>
  /** A file by URL: ADD, contexts. DOWNLOAD_FAILED when it cannot be had. */
  fetchUrl(address: string, options: OperationOptions): Promise<FetchedUrl>
  clock: Clock
  /** Of this machine. */
  platform: Platform
}

/** What a plan needs to know of a base image. */
export interface DescribedBase {
  image: Pick<StoredImage, 'id' | 'config' | 'platform'>
  /** It was in the store already. */
  wasLocal: boolean
}

export interface FoundBase extends DescribedBase {
  image: StoredImage
  /** It was in the store already. */
  wasLocal: boolean
}
