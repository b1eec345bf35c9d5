import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context.ts'

/** What a container has added (A), changed (C) and deleted (D), sorted by path. */
export async function containerDiff(
  context: EngineContext,
  idOrName: string,
): Promise<{ path: string; kind: 'A' | 'C' | 'D' }[]> {
  const [room, machinery] = await Promise.all([import('#container'), containerMachinery(context)])
  const changes = await room.containerDiff(machinery, idOrName)
  // Names are bytes; people see them as text.
  return changes.map(({ path, kind }) => ({ path: Buffer.from(path, 'latin1').toString(), kind }))
}

/** All files of a container as one tar. */
export async function exportContainer(context: EngineContext, idOrName: string): Promise<AsyncIterable<Uint8Array>> {
  const [room, machinery] = await Promise.all([import('#container'), containerMachinery(context)])
  // A name that is wrong is told before the first byte.
  const { id } = await room.findContainer(machinery, idOrName)
  return room.exportContainer(machinery, id)
}
