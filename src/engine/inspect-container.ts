import type { ContainerInspect } from '#docker/views'
import { containerRecords } from './container-machinery.ts'
import { containerInspect } from './container-view.ts'
import type { EngineContext } from './context/context.ts'

/** docker's JSON of a container. Throws CONTAINER_NOT_FOUND. */
export async function inspectContainer(
  context: EngineContext,
  idOrName: string,
  options: { size?: boolean } = {},
): Promise<ContainerInspect> {
  const [room, { exec, state }, store] = await Promise.all([
    import('#container'),
    containerRecords(context),
    context.store(),
  ])
  const seen = await state.see(idOrName)
  const paths = state.paths(seen.record.id)
  const hidden = { masked: room.MASKED_PATHS, readOnly: room.READONLY_PATHS }
  const execs = await exec.running(seen.record.id)
  const view = { ...containerInspect(seen, paths, store.run, hidden), ExecIDs: execs.length > 0 ? execs : null }
  if (!options.size) return view
  const written = await state.writtenSize(seen.record.id)
  let image = 0
  for (const layer of seen.record.layers) image += (await store.layers.get(layer))?.contentSize ?? 0
  return { ...view, SizeRw: written, SizeRootFs: written + image }
}
