import type { RemovalRecord } from '#store'
import type { EngineContext } from './context/context.ts'
import { nameAsTyped } from './name-as-typed.ts'

/** docker's rmi: takes a name away, and deletes what has no name left, with all layers that nothing else needs. */
export async function removeImage(
  context: EngineContext,
  name: string,
  options: { force?: boolean } = {},
): Promise<RemovalRecord[]> {
  const store = await context.store()
  const { records } = await nameAsTyped(name, store.images.remove(name, options))
  await releaseMounts(context)
  return records
}

/** Layer mounts of removed layers go at once, so that their disk space does. */
export async function releaseMounts(context: EngineContext): Promise<void> {
  const rootfs = await context.rootfs()
  await rootfs.releaseUnused()
}
