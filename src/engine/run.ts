import { isBaleError, type OperationOptions } from '#base'
import type { AttachSession, TerminalSize } from '#container'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'
import { type ContainerRequest, makeContainer } from './create.ts'

/** How a container is started, and where its output goes. */
export interface RunOptions extends OperationOptions {
  /** The container runs detached. */
  detach?: boolean
  /** Called with the ID before the container starts (--cidfile). */
  onCreated?: (id: string) => Promise<void>
  size?: TerminalSize
}

/** A container that was just started or attached to. */
export interface RunningContainer {
  id: string
  name: string
  tty: boolean
  /** Its streams from its first byte on; must be read. Undefined when detached. */
  attach?: AttachSession
  /** The exit code of this life; a container that is removed at its end is gone then. */
  wait(options?: { signal?: AbortSignal }): Promise<number>
}

/** Makes a container and starts it. When the start fails and it was to be removed at its end, it is removed. */
export async function runContainer(
  context: EngineContext,
  request: ContainerRequest,
  options: RunOptions = {},
): Promise<RunningContainer> {
  const { signal, progress, detach, size } = options
  const { lifecycle } = await containerMachinery(context)
  const record = await makeContainer(context, request, { signal, progress, keepMounted: true })
  const { id, name } = record
  try {
    await options.onCreated?.(id)
    const started = await lifecycle.start(id, { attach: !detach, attended: !detach, size, signal, progress })
    return {
      id,
      name,
      tty: request.config.tty ?? false,
      attach: started.attach,
      async wait(waiting) {
        try {
          const code = await lifecycle.exitOf(id, started.monitored!.monitor, waiting)
          // The next command may use its name, its volumes or its port.
          if (request.host.autoRemove) await lifecycle.awaitRemoval(id)
          return code
        } finally {
          await lifecycle.leaveAlone(id)
        }
      },
    }
  } catch (error) {
    try {
      if (request.host.autoRemove) await lifecycle.remove(id, { force: true, volumes: true })
    } catch (second) {
      if (!isBaleError(second, 'CONTAINER_NOT_FOUND')) throw new AggregateError([error, second], String(error))
    }
    throw error
  }
}
