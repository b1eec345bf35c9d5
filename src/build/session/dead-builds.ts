import { join } from 'node:path'
import { isBaleError, type Recovery } from '#base'
import { unmount } from '#host'
import { acquireLock, namesIn, removeTree } from '#host/file'
import { type Digest, parseDigest } from '#spec'
import type { BuildMachine } from './machine.ts'

const NAME = /^build-[0-9a-f]{32}/

/** Where a build keeps what it writes, and its secrets. */
export function placesOf({ store }: Pick<BuildMachine, 'store'>, id: string) {
  return { scratch: join(store.root, 'tmp', id), memory: join(store.run, 'builds', id) }
}

export async function removeMemory(path: string): Promise<void> {
  unmount(path, { detach: true })
  await removeTree(path)
}

/** The recovery of builds, which each new build begins with, too. */
export function buildRecovery(machine: Pick<BuildMachine, 'store' | 'rootfs'>): Recovery {
  return {
    sweeps: 'root file systems, scratch directories, temporary layers and secrets of builds',
    recover: async () => ({ removed: 0, freed: await sweepDeadBuilds(machine) }),
  }
}

/** Removes mounts, scratch directories, temporary layers and secrets of builds whose process is gone. Answers the bytes of the layers. */
export async function sweepDeadBuilds(machine: Pick<BuildMachine, 'store' | 'rootfs'>): Promise<number> {
  let freed = 0
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
      freed += await discard(store.layers, await temporaryLayers(scratch))
      await removeTree(scratch)
    } catch (error) {
      // It lives.
      if (!isBaleError(error, 'LOCKED')) throw error
    }
  }
  return freed
}

async function discard(layers: BuildMachine['store']['layers'], diffIds: readonly Digest[]): Promise<number> {
  const before = await Promise.all(diffIds.map((diffId) => layers.get(diffId)))
  await layers.discard(diffIds)
  const after = await Promise.all(diffIds.map((diffId) => layers.get(diffId)))
  return before.reduce((sum, layer, index) => sum + (after[index] ? 0 : (layer?.diskSize ?? 0)), 0)
}

async function temporaryLayers(scratch: string): Promise<Digest[]> {
  return (await namesIn(scratch)).flatMap((name) => {
    const hex = /^layer-([0-9a-f]{64})$/.exec(name)?.[1]
    return hex === undefined ? [] : parseDigest(`sha256:${hex}`)
  })
}
