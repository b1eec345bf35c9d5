import type { LogFrame, LogRequest, ProcessTable, TerminalSize, Usage } from '#container'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context.ts'

/** The log of a container as it was written; `follow` goes on until it ends. `attributes` is what its log options add. */
export async function containerLogs(
  context: EngineContext,
  idOrName: string,
  request: LogRequest = {},
): Promise<{ tty: boolean; attributes: Record<string, string>; frames: AsyncIterable<LogFrame> }> {
  const [room, machinery] = await Promise.all([import('#container'), containerMachinery(context)])
  const { id, name, document } = await room.findContainer(machinery, idOrName)
  const { config, host, image } = document
  const attributes = room.logAttributes(host.log, { id, name, image, labels: config.Labels, env: config.Env })
  return { tty: config.Tty, attributes, frames: room.containerLog(machinery, id, request) }
}

/** The host's ps, of the container's processes only. */
export async function containerProcesses(
  context: EngineContext,
  idOrName: string,
  psOptions: readonly string[] = [],
): Promise<ProcessTable> {
  const [room, machinery] = await Promise.all([import('#container'), containerMachinery(context)])
  return room.containerProcesses(machinery, idOrName, psOptions)
}

/** What running containers use now. Without names: all that run. */
export async function containerUsage(context: EngineContext, names: readonly string[] = []): Promise<Usage[]> {
  const [room, machinery] = await Promise.all([import('#container'), containerMachinery(context)])
  const wanted = names.length
    ? names
    : (await room.seeAll(machinery)).filter(({ status }) => status === 'running').map(({ record }) => record.id)
  return Promise.all(wanted.map((name) => room.containerUsage(machinery, name)))
}

export async function resizeContainer(context: EngineContext, idOrName: string, size: TerminalSize): Promise<void> {
  const [room, machinery] = await Promise.all([import('#container'), containerMachinery(context)])
  await room.resizeContainer(machinery, idOrName, size)
}
