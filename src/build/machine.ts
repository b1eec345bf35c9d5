import type { Clock, OperationOptions } from '#base'
import type { RunStep } from '#container'
import type { RootfsMounter } from '#rootfs'
import type { Digest, Platform } from '#spec'
import type { Store, StoredImage } from '#store'

/** What a build needs of the machine; the engine wires it. */
export interface BuildMachine {
  store: Pick<Store, 'root' | 'run' | 'layers' | 'images' | 'buildCache'>
  rootfs: Pick<RootfsMounter, 'prepareRootfs'>
  /**
   * What a step left in its upper directory, as the tar of a layer; `lowers` are the layers below (lowest first).
   */
  changeset(upper: string, options: ChangesetRequest): AsyncIterable<Uint8Array>
  runStep: RunStep
  /** A base image: from the store, fetched when it is missing or when `pull` asks for a newer one. */
  findImage(name: string, options: OperationOptions & { platform: Platform; pull: boolean }): Promise<FoundBase>
  clock: Clock
  /** Of this machine. */
  platform: Platform
}

export interface ChangesetRequest extends OperationOptions {
  lowers: readonly string[]
  /** Seconds since 1970: no time of the layer is later (SOURCE_DATE_EPOCH). */
  latestTime: number | undefined
}

export interface FoundBase {
  image: StoredImage
  /** It was in the store already. */
  wasLocal: boolean
  /** Digest of the manifest, for what people see. */
  digest: Digest
}
