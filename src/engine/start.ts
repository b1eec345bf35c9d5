import type { OperationOptions } from '#base'
import type { TerminalSize } from '#container'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context.ts'
import type { RunningContainer } from './run.ts'

/** Starts a container that exists. One that runs is left alone (and attached to, when asked for). */
export async function startContainer(
  context: EngineContext,
  idOrName: string,
  options: OperationOptions & { attach?: boolean; size?: TerminalSize } = {},
): Promise<RunningContainer> {
  const [machinery, room] = await Promise.all([containerMachinery(context), import('#container')])
  const { record, attach, monitored } = await room.startContainer(machinery, idOrName, options)
  return {
    id: record.id,
    name: record.name,
    tty: record.document.config.Tty,
    attach,
    wait: (waiting) =>
      monitored
        ? room.exitOf(machinery, record.id, monitored.monitor, waiting)
        : room.waitContainer(machinery, record.id, waiting),
  }
}

/** Connects to a running container. `tty` tells whether its output is a terminal's. */
export async function attachContainer(context: EngineContext, idOrName: string): Promise<RunningContainer> {
  const [machinery, room] = await Promise.all([containerMachinery(context), import('#container')])
  const { record, session, monitor } = await room.attachContainer(machinery, idOrName)
  return {
    id: record.id,
    name: record.name,
    tty: record.document.config.Tty,
    attach: session,
    wait: (waiting) => room.exitOf(machinery, record.id, monitor, waiting),
  }
}
