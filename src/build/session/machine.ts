import type { Clock, OperationOptions } from '#base'
import type { RunStep } from '#container'
import type { RootfsMounter } from '#rootfs'
import type { Platform } from '#spec'
import type { Store, StoredImage } from '#store'
import type { FetchedUrl } from '#transport'

/** What a build needs of the machine; the engine wires it. */
export interface BuildMachine {
  store: Pick<Store, 'root' | 'run' | 'layers' | 'images' | 'buildCache' | 'lease'>
  rootfs: Pick<RootfsMounter, 'prepareRootfs' | 'release' | 'releaseUnused'>
  runStep: RunStep
  /** A base image: from the store, fetched when it is missing or when `pull` asks for a newer one. */
  findImage(name: string, options: OperationOptions & { platform: Platform; pull: boolean }): Promise<FoundBase>
  /** A file by URL: ADD, contexts. DOWNLOAD_FAILED when it cannot be had. */
  fetchUrl(address: string, options: OperationOptions): Promise<FetchedUrl>
  clock: Clock
  /** Of this machine. */
  platform: Platform
}

export interface FoundBase {
  image: StoredImage
  /** It was in the store already. */
  wasLocal: boolean
}
