import type { ContainerOutput, LogRequest } from '#container'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'

/** Which part of a log is read, and whether reading continues as the container writes. */
export type LogsOptions = LogRequest
/** The log of a container, read as it is iterated. */
export type ContainerLogs = ContainerOutput

export async function containerLogs(
  context: EngineContext,
  idOrName: string,
  request: LogsOptions = {},
): Promise<ContainerLogs> {
  return (await containerMachinery(context)).logs.read(idOrName, request)
}
