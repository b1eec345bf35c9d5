import type { PolicyResult } from '#container'
import { containerMachinery, startedAfterBoot } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'

export async function startByPolicy(context: EngineContext): Promise<PolicyResult> {
  const { upkeep } = await containerMachinery(context)
  const { done, failed } = await upkeep.startByPolicy()
  return { done: [...startedAfterBoot(context), ...done], failed }
}
