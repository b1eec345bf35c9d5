import type { OperationOptions } from '#base'
import type { TerminalSize } from '#container'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'
import type { RunningContainer } from './run.ts'

/** Starts a container that exists. A running one is left alone (and attached to on request). */
export async function startContainer(
  context: EngineContext,
  idOrName: string,
  options: OperationOptions & { attach?: boolean; size?: TerminalSize } = {},
): Promise<RunningContainer> {
  const { lifecycle } = await containerMachinery(context)
  const { record, attach, monitored } = await lifecycle.start(idOrName, { ...options, attended: options.attach })
  return {
    id: record.id,
    name: record.name,
    tty: record.document.config.Tty,
    attach,
    async wait(waiting) {
      if (!monitored) return lifecycle.wait(record.id, waiting)
      try {
        return await lifecycle.exitOf(record.id, monitored.monitor, waiting)
      } finally {
        await lifecycle.leaveAlone(record.id)
      }
    },
  }
}

/** Connects to a running container. `tty` is whether its output is a terminal's. */
export async function attachContainer(context: EngineContext, idOrName: string): Promise<RunningContainer> {
  const { lifecycle, logs } = await containerMachinery(context)
  const { record, session, monitor } = await logs.attach(idOrName)
  return {
    id: record.id,
    name: record.name,
    tty: record.document.config.Tty,
    attach: session,
    wait: (waiting) => lifecycle.exitOf(record.id, monitor, waiting),
  }
}
