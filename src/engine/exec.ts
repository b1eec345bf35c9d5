import type { ExecRequest, RunningExec } from '#container'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context.ts'

/** Starts a further process in a running container. Dispose the result when it has ended. */
export async function execContainer(
  context: EngineContext,
  idOrName: string,
  request: ExecRequest,
): Promise<RunningExec> {
  const [room, machinery] = await Promise.all([import('#container'), containerMachinery(context)])
  return room.execContainer(machinery, idOrName, request)
}
