import type { LogFrame, LogRequest } from '#container'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context.ts'

export type LogsOptions = LogRequest

export interface ContainerLogs {
  /** Whether the frames are the output of a terminal. */
  tty: boolean
  /** What the container's log options add to each line: labels and variables by name. */
  attributes: Record<string, string>
  frames: AsyncIterable<LogFrame>
}

export async function containerLogs(
  context: EngineContext,
  idOrName: string,
  request: LogsOptions = {},
): Promise<ContainerLogs> {
  const [room, machinery] = await Promise.all([import('#container'), containerMachinery(context)])
  const { id, name, document } = await room.findContainer(machinery, idOrName)
  const { config, host, image } = document
  const attributes = room.logAttributes(host.log, { id, name, image, labels: config.Labels, env: config.Env })
  return { tty: config.Tty, attributes, frames: room.containerLog(machinery, id, request) }
}
