import type { DiskUsage } from '#store'
import { containerRecords } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'

/** The store's figures, with the users of each volume: those are in documents that only the container room reads. */
export interface SystemUsage extends DiskUsage {
  volumeUsers: ReadonlyMap<string, readonly string[]>
}

export async function diskUsage(context: EngineContext): Promise<SystemUsage> {
  const store = await context.store()
  const { cacheMountsSize, fileDigestsSize } = await import('#build')
  const figures = await store.diskUsage()
  const beside = (await cacheMountsSize(store.root)) + (await fileDigestsSize(store.root))
  const usage = { ...figures, cacheSize: figures.cacheSize + beside }
  if (usage.volumes.length === 0) return { ...usage, volumeUsers: new Map() }
  const { volumes } = await containerRecords(context)
  return { ...usage, volumeUsers: await volumes.users() }
}
