import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BaleError, isBaleError } from '#base'
import type { PolicyResult, Resources, RestartOptions, RestartPolicy, StopOptions } from '#container'
import { containerMachinery, startedAfterBoot } from './container-machinery.ts'
import type { EngineContext } from './context.ts'

type Room = typeof import('#container')

async function open(context: EngineContext): Promise<[Room, Awaited<ReturnType<typeof containerMachinery>>]> {
  return Promise.all([import('#container'), containerMachinery(context)])
}

/** Its stop signal, then KILL after the timeout (seconds). One that does not run is left alone. */
export async function stopContainer(
  context: EngineContext,
  idOrName: string,
  options: StopOptions = {},
): Promise<void> {
  const [room, machinery] = await open(context)
  await room.stopContainer(machinery, idOrName, options)
}

export async function restartContainer(
  context: EngineContext,
  idOrName: string,
  options: RestartOptions = {},
): Promise<void> {
  const [room, machinery] = await open(context)
  await room.restartContainer(machinery, idOrName, options)
}

/** Throws CONTAINER_NOT_RUNNING, CONTAINER_NOT_FOUND. */
export async function killContainer(context: EngineContext, idOrName: string, signal?: string): Promise<void> {
  const [room, machinery] = await open(context)
  try {
    await room.killContainer(machinery, idOrName, signal)
  } catch (error) {
    if (!isBaleError(error, 'CONTAINER_NOT_FOUND')) throw error
    const { hint, details } = error
    throw new BaleError(error.code, `Cannot kill container: ${error.message.replace(/^.*: /, '')}: ${error.message}`, {
      cause: error,
      hint,
      details,
    })
  }
}

export async function pauseContainer(context: EngineContext, idOrName: string): Promise<void> {
  const [room, machinery] = await open(context)
  await room.pauseContainer(machinery, idOrName)
}

export async function unpauseContainer(context: EngineContext, idOrName: string): Promise<void> {
  const [room, machinery] = await open(context)
  await room.unpauseContainer(machinery, idOrName)
}

/** The exit code, when the container does not run any more. */
export async function waitContainer(
  context: EngineContext,
  idOrName: string,
  options: { signal?: AbortSignal } = {},
): Promise<number> {
  const [room, machinery] = await open(context)
  return room.waitContainer(machinery, idOrName, options)
}

export async function renameContainer(context: EngineContext, idOrName: string, name: string): Promise<void> {
  const [room, machinery] = await open(context)
  await room.renameContainer(machinery, idOrName, name)
}

/** Limits change at once when the container runs. Answers warnings. */
export async function updateContainer(
  context: EngineContext,
  idOrName: string,
  change: { resources?: Resources; restart?: RestartPolicy },
): Promise<string[]> {
  const [room, machinery] = await open(context)
  return room.updateContainer(machinery, idOrName, change)
}

/** With its own layer; `force` kills it first, `volumes` takes its anonymous volumes too. */
export async function removeContainer(
  context: EngineContext,
  idOrName: string,
  options: { force?: boolean; volumes?: boolean } = {},
): Promise<void> {
  const [room, machinery] = await open(context)
  await room.removeContainer(machinery, idOrName, options)
}

/** What the monitor calls at the end of a container: not for people. */
export async function cleanupContainer(context: EngineContext, id: string): Promise<void> {
  const { root, run, path } = context.config
  // A store that was deleted is not made again for this.
  if (!existsSync(join(root, 'bale.db'))) {
    const { abandonContainer } = await import('#container')
    await abandonContainer({ run, path }, id)
    return
  }
  const [room, machinery] = await open(context)
  await room.cleanupContainer(machinery, id, {
    restart: async (again) => {
      await room.startContainer(machinery, again, { restart: true })
    },
  })
}

/** Checks a container's health as long as it runs: not for people. */
export async function superviseHealth(
  context: EngineContext,
  id: string,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const [room, machinery] = await open(context)
  await room.superviseHealth(machinery, id, options)
}

/** Brings a log back to its limit: not for people. */
export async function rotateContainerLog(context: EngineContext, id: string): Promise<void> {
  const [room, machinery] = await open(context)
  await room.rotateContainerLog(machinery, id)
}

/** Starts what its restart policy wants up after a boot; what runs is left alone. */
export async function startByPolicy(context: EngineContext): Promise<PolicyResult> {
  const [room, machinery] = await open(context)
  const { done, failed } = await room.startByPolicy(machinery)
  return { done: [...startedAfterBoot(context), ...done], failed }
}

/** Stops all containers for the machine's end; `startByPolicy` starts again those with a restart policy. */
export async function stopForShutdown(context: EngineContext, options: StopOptions = {}): Promise<PolicyResult> {
  const [room, machinery] = await open(context)
  return room.stopForShutdown(machinery, options)
}
