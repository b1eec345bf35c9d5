import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OperationOptions } from '#base'
import { mountTmpfs } from '#host'
import { acquireLock, randomHex, removeTree } from '#host/file'
import type { Rootfs } from '#rootfs'
import { type Digest, hexOf } from '#spec'
import type { StoreOperation } from '#store'
import { placesOf, removeMemory, sweepDeadBuilds } from './dead-builds.ts'
import type { BuildMachine } from './machine.ts'

/**
 * One running build: its scratch directory, its mounts, its hold on layers. Disposing undoes all of it. What a killed build
 * left is cleaned up by the next one, which recognises it by the lock that died with it.
 */
export interface BuildSession extends AsyncDisposable {
  readonly machine: BuildMachine
  /** What the build takes into the store, or stands on, is held by this. */
  readonly intake: StoreOperation
  /** A new empty directory on the store's file system, for what a step writes. */
  newDirectory(purpose: string): Promise<string>
  /** Layers as one tree; read-only, or with a new upper directory that goes with the mount. */
  mount(layers: readonly Digest[], options?: { writable?: boolean; signal?: AbortSignal }): Promise<Rootfs>
  /** A layer that is needed while the build runs: the files of a context. It goes with the build. */
  temporaryLayer(tar: () => AsyncIterable<Uint8Array>, options: OperationOptions): Promise<Digest>
  /** Undone when the build ends. */
  own<T extends AsyncDisposable>(resource: T): T
  /** A directory in memory, for secrets. */
  memoryDirectory(): Promise<{ path: string } & AsyncDisposable>
}

export async function openBuildSession(machine: BuildMachine): Promise<BuildSession> {
  const { store, rootfs } = machine
  await sweepDeadBuilds(machine)
  const id = `build-${randomHex(16)}`
  const { scratch, memory } = placesOf(machine, id)
  const stack = new AsyncDisposableStack()
  try {
    stack.defer(async () => void (await rootfs.releaseUnused()))
    stack.use(await acquireLock(`${scratch}.lock`))
    stack.defer(() => removeTree(scratch))
    await mkdir(scratch, { mode: 0o700 })
    const temporary: Digest[] = []
    const intake = stack.use(store.operation({ purpose: 'build' }))
    stack.defer(() => intake.layers.discard(temporary))
    let count = 0
    const newDirectory = async (purpose: string) => {
      const path = join(scratch, `${purpose}-${count++}`)
      await mkdir(path, { mode: 0o700 })
      return path
    }
    return {
      machine,
      intake,
      newDirectory,
      async mount(layers, { writable = false, signal } = {}) {
        const directory = writable ? await newDirectory('upper') : undefined
        const own = directory ? { upper: join(directory, 'upper'), work: join(directory, 'work') } : (false as const)
        // Used once: a package manager that syncs every file must not wait for the disk.
        const mount = { id: `${id}-${count++}`, writable: own, volatile: true, signal }
        const mounted = await rootfs.prepareRootfs(layers, mount)
        return {
          path: mounted.path,
          upper: mounted.upper,
          lowers: mounted.lowers,
          images: mounted.images,
          async [Symbol.asyncDispose]() {
            await mounted[Symbol.asyncDispose]()
            if (directory) await removeTree(directory)
          },
        }
      },
      async temporaryLayer(tar, options) {
        for (;;) {
          const { diffId } = await intake.layers.write(tar(), options)
          // The clean-up after a killed build finds it by this name.
          await writeFile(join(scratch, `layer-${hexOf(diffId)}`), '')
          temporary.push(diffId)
          // Another build of the same files may have discarded it before it was held here.
          if (await store.layers.get(diffId)) return diffId
        }
      },
      own: (resource) => stack.use(resource),
      async memoryDirectory() {
        const path = `${memory}-${count++}`
        await mkdir(path, { recursive: true, mode: 0o700 })
        mountTmpfs(path, 'size=16m,mode=0700')
        return { path, [Symbol.asyncDispose]: () => removeMemory(path) }
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}
