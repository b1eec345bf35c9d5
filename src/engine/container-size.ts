import type { SeenContainer } from '#container'
import { containerRecords } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'

/** Bytes that a container has written to its own layer, and with the content of its image. Walks the layer. */
export async function containerSize(
  context: EngineContext,
  { record }: SeenContainer,
): Promise<{ written: number; total: number }> {
  const [{ state }, store] = await Promise.all([containerRecords(context), context.store()])
  const written = await state.writtenSize(record.id)
  let total = written
  for (const layer of record.layers) total += (await store.layers.get(layer))?.contentSize ?? 0
  return { written, total }
}
