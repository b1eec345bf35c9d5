import type { OperationOptions } from '#base'
import type { Digest } from '#spec'

/** A mounted root file system; disposing unmounts it (layers stay mounted for the next one until `releaseUnused`). */
export interface Rootfs extends AsyncDisposable {
  /** Absolute path of the merged tree. */
  readonly path: string
  /** The container's own layer, when writable. */
  readonly upper?: string
  /** Directories of the layers as mounted, uppermost first. */
  readonly lowers: readonly string[]
  /** The image files of those of them that are mounted images. */
  readonly images: ReadonlyMap<string, string>
}

export interface PrepareOptions extends OperationOptions {
  /** Names the mount point below <run>/rootfs: a container or step ID. */
  id: string
  /** Where writes go: both directories on one file system; made when missing. False mounts read-only. */
  writable: false | { upper: string; work: string }
  /**
   * What is written need not survive a crash of the machine: fsync and sync inside cost nothing (a package manager calls
   * them for every file). For upper and work directories that are new and used once, such as a build step's.
   */
  volatile?: boolean
  /** Mount point; `<run>/rootfs/<id>` by default. Made when missing. */
  target?: string
}

export interface RootfsMounter {
  /**
   * Mounts layers (diff IDs, lowest first; each must be in the store) as one tree. What is mounted at the target already
   * is taken as it is when it is this function's work of before (a container started again after a crash of bale).
   */
  prepareRootfs(layers: readonly Digest[], options: PrepareOptions): Promise<Rootfs>
  /** Where `prepareRootfs` mounts the root file system of an ID by default, mounted now or not. */
  targetOf(id: string): string
  /** Unmounts a root file system by its target (or ID), for callers that no longer have the Rootfs object. Succeeds if nothing is mounted. */
  release(idOrTarget: string): Promise<void>
  /** Unmounts the layers that no overlay of this machine uses any more; answers how many. */
  releaseUnused(): Promise<number>
}
