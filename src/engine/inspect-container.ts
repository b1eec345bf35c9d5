import { join } from 'node:path'
import { type ContainerInspect, containerInspect } from '#docker/views'
import { containerRecords } from './container-machinery.ts'
import { containerSize } from './container-size.ts'
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
  const { id } = seen.record
  const { upper, work, log, directory } = state.paths(id)
  const hidden = { masked: room.MASKED_PATHS, readOnly: room.READONLY_PATHS }
  return containerInspect(seen, {
    paths: { directory, log, merged: join(store.run, 'rootfs', id), upper, work },
    hidden,
    execs: await exec.running(id),
    ...(options.size && { size: await containerSize(context, seen) }),
  })
}
