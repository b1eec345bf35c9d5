import type { ContainerOutput, LogRequest } from '#container'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'

export type LogsOptions = LogRequest
export type ContainerLogs = ContainerOutput

export async function containerLogs(
  context: EngineContext,
  idOrName: string,
  request: LogsOptions = {},
): Promise<ContainerLogs> {
  return (await containerMachinery(context)).logs.read(idOrName, request)
}
