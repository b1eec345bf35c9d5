import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'

/** The remaining work when a container, or the process `exec` in it, has ended. When its store was deleted, its leftovers on the machine are removed. */
export async function cleanupContainer(
  context: EngineContext,
  id: string,
  { exec, atOnce }: { exec?: string; atOnce?: boolean } = {},
): Promise<void> {
  if (await context.existingStore()) {
    const { upkeep } = await containerMachinery(context)
    return exec === undefined ? upkeep.cleanup(id, atOnce ? { linger: 0 } : {}) : upkeep.announceExecEnd(exec)
  }
  if (exec !== undefined) return
  const { run, path } = context.config
  const { abandonContainer } = await import('#container')
  await abandonContainer({ run, path }, id)
}
