import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'

/** What is left to do when a container has ended. When its store was deleted, what is left on the machine goes. */
export async function cleanupContainer(context: EngineContext, id: string): Promise<void> {
  if (await context.existingStore()) return (await containerMachinery(context)).upkeep.cleanup(id)
  const { run, path } = context.config
  const { abandonContainer } = await import('#container')
  await abandonContainer({ run, path }, id)
}
