import { BaleError, isBaleError } from '#base'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'

/** docker's message for a missing container starts differently here than elsewhere. */
export async function killContainer(context: EngineContext, idOrName: string, signal?: string): Promise<void> {
  const { lifecycle } = await containerMachinery(context)
  try {
    await lifecycle.kill(idOrName, signal)
  } catch (error) {
    if (!isBaleError(error, 'CONTAINER_NOT_FOUND')) throw error
    const { hint, next, details } = error
    throw new BaleError(error.code, `Cannot kill container: ${error.message.replace(/^.*: /, '')}: ${error.message}`, {
      cause: error,
      hint,
      next,
      details,
    })
  }
}
