import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, isBaleError, type OperationOptions } from '#base'
import { mountTmpfs, unmount } from '#host'
import { acquireLock, removeTree } from '#host/file'
import type { Rootfs } from '#rootfs'
import { type Digest, hexOf, parseDigest } from '#spec'
import type { Lease } from '#store'
import type { BuildMachine } from './machine.ts'

/**
 * One running build: its scratch folder, its mounts, its hold on layers. Disposing undoes all of it. What a killed build
 * left is undone by the next one, told by the lock that died with it.
 */
export interface BuildSession extends AsyncDisposable {
  readonly machine: BuildMachine
  readonly lease: Lease
  /** A new empty folder on the store's file system, for what a step writes. */
  newFolder(purpose: string): Promise<string>
  /** Layers as one tree; read-only, or with a new upper folder that goes with the mount. */
  mount(layers: readonly Digest[], options?: { writable?: boolean; signal?: AbortSignal }): Promise<Rootfs>
  /** A layer that is needed while the build runs: the files of a context. It goes with the build. */
  temporaryLayer(tar: () => AsyncIterable<Uint8Array>, options: OperationOptions): Promise<Digest>
  /** Undone when the build ends. */
  own<T extends AsyncDisposable>(resource: T): T
  /** A folder in memory, for secrets. */
  memoryFolder(): Promise<{ path: string } & AsyncDisposable>
}

const NAME = /^build-[0-9a-f]{32}/

export async function openBuildSession(machine: BuildMachine): Promise<BuildSession> {
  const { store, rootfs } = machine
  await sweepDeadBuilds(machine)
  const id = `build-${crypto.randomUUID().replaceAll('-', '')}`
  const { scratch, memory } = placesOf(machine, id)
  const stack = new AsyncDisposableStack()
  try {
    stack.defer(async () => void (await rootfs.releaseUnused()))
    stack.use(await acquireLock(`${scratch}.lock`))
    stack.defer(() => removeTree(scratch))
    await mkdir(scratch, { mode: 0o700 })
    const temporary: Digest[] = []
    stack.defer(() => store.layers.discard(temporary))
    const lease = stack.use(await store.lease({ purpose: 'build' }))
    let count = 0
    const newFolder = async (purpose: string) => {
      const path = join(scratch, `${purpose}-${count++}`)
      await mkdir(path, { mode: 0o700 })
      return path
    }
    return {
      machine,
      lease,
      newFolder,
      async mount(layers, { writable = false, signal } = {}) {
        const folder = writable ? await newFolder('upper') : undefined
        const own = folder ? { upper: join(folder, 'upper'), work: join(folder, 'work') } : (false as const)
        // Used once: a package manager that syncs every file must not wait for the disk.
        const mount = { id: `${id}-${count++}`, writable: own, volatile: true, signal }
        const mounted = await rootfs.prepareRootfs(layers, mount)
        return {
          path: mounted.path,
          upper: mounted.upper,
          lowers: mounted.lowers,
          async [Symbol.asyncDispose]() {
            await mounted[Symbol.asyncDispose]()
            if (folder) await removeTree(folder)
          },
        }
      },
      async temporaryLayer(tar, options) {
        for (;;) {
          const { diffId } = await store.layers.write(tar(), options)
          await lease.add('layer', diffId)
          // Whoever cleans up after a killed build finds it by this name.
          await writeFile(join(scratch, `layer-${hexOf(diffId)}`), '')
          temporary.push(diffId)
          // Another build of the same files may have discarded it before it was leased here.
          if (await store.layers.get(diffId)) return diffId
        }
      },
      own: (resource) => stack.use(resource),
      async memoryFolder() {
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

function placesOf({ store }: BuildMachine, id: string) {
  return { scratch: join(store.root, 'tmp', id), memory: join(store.run, 'builds', id) }
}

async function removeMemory(path: string): Promise<void> {
  unmount(path, { detach: true })
  await removeTree(path)
}

/** Mounts, scratch folders and secrets of builds whose process is gone. */
async function sweepDeadBuilds(machine: BuildMachine): Promise<void> {
  const { store, rootfs } = machine
  const mounts = await namesIn(join(store.run, 'rootfs'))
  const memories = await namesIn(join(store.run, 'builds'))
  const scratches = await namesIn(join(store.root, 'tmp'))
  const ids = new Set([...mounts, ...memories, ...scratches].flatMap((name) => NAME.exec(name)?.[0] ?? []))
  for (const id of ids) {
    const { scratch, memory } = placesOf(machine, id)
    try {
      await using _dead = await acquireLock(`${scratch}.lock`, { timeoutMs: 0 })
      for (const name of mounts) if (name.startsWith(id)) await rootfs.release(name)
      for (const name of memories) if (name.startsWith(id)) await removeMemory(join(memory, '..', name))
      await store.layers.discard(await temporaryLayers(scratch))
      await removeTree(scratch)
    } catch (error) {
      // It lives.
      if (!isBaleError(error, 'LOCKED')) throw error
    }
  }
}

async function temporaryLayers(scratch: string): Promise<Digest[]> {
  return (await namesIn(scratch)).flatMap((name) => {
    const hex = /^layer-([0-9a-f]{64})$/.exec(name)?.[1]
    return hex === undefined ? [] : parseDigest(`sha256:${hex}`)
  })
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
