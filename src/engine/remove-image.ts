import type { EngineContext } from './context/context.ts'
import { nameAsTyped } from './name-as-typed.ts'

/** One step of a removal: a name (as people type it) or an image ID. */
export type RemovalRecord = { untagged: string } | { deleted: string }

/** docker's rmi: takes a name away, and deletes what has no name left, with all layers that nothing else needs. */
export async function removeImage(
  context: EngineContext,
  name: string,
  options: { force?: boolean } = {},
): Promise<RemovalRecord[]> {
  const store = await context.store()
  const { records } = await nameAsTyped(name, store.images.remove(name, options))
  await releaseMounts(context)
  return records.map((record) => ('Untagged' in record ? { untagged: record.Untagged } : { deleted: record.Deleted }))
}

/** Layer mounts of removed layers go at once, so that their disk space does. */
export async function releaseMounts(context: EngineContext): Promise<void> {
  const rootfs = await context.rootfs()
  await rootfs.releaseUnused()
}
