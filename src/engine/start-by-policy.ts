import type { PolicyResult } from '#container'
import { containerMachinery, startedAfterBoot } from './container-machinery.ts'
import type { EngineContext } from './context.ts'

export async function startByPolicy(context: EngineContext): Promise<PolicyResult> {
  const [room, machinery] = await Promise.all([import('#container'), containerMachinery(context)])
  const { done, failed } = await room.startByPolicy(machinery)
  return { done: [...startedAfterBoot(context), ...done], failed }
}
