import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'

/** The remaining work when a container has ended. When its store was deleted, its leftovers on the machine are removed. */
export async function cleanupContainer(context: EngineContext, id: string): Promise<void> {
  if (await context.existingStore()) return (await containerMachinery(context)).upkeep.cleanup(id)
  const { run, path } = context.config
  const { abandonContainer } = await import('#container')
  await abandonContainer({ run, path }, id)
}
