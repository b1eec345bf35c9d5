import { containerRecords } from './container-machinery.ts'
import type { EngineContext } from './context.ts'
import { type ContainerInspect, containerInspect } from './views/container-inspect.ts'

/** docker's JSON of a container. Throws CONTAINER_NOT_FOUND. */
export async function inspectContainer(
  context: EngineContext,
  idOrName: string,
  options: { size?: boolean } = {},
): Promise<ContainerInspect> {
  const [room, machinery] = await Promise.all([import('#container'), containerRecords(context)])
  const seen = await room.seeContainer(machinery, idOrName)
  const paths = room.pathsOf(machinery, seen.record.id)
  const hidden = { masked: room.MASKED_PATHS, readOnly: room.READONLY_PATHS }
  const view = containerInspect(seen, paths, machinery.store.run, hidden)
  if (!options.size) return view
  const written = await room.writtenSize(machinery, seen.record.id)
  let image = 0
  for (const layer of seen.record.layers) image += (await machinery.store.layers.get(layer))?.contentSize ?? 0
  return { ...view, SizeRw: written, SizeRootFs: written + image }
}
