import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'

export async function cleanupContainer(context: EngineContext, id: string): Promise<void> {
  const { root, run, path } = context.config
  // A store that was deleted is not made again for this.
  if (!existsSync(join(root, 'bale.db'))) {
    const { abandonContainer } = await import('#container')
    return abandonContainer({ run, path }, id)
  }
  await (await containerMachinery(context)).upkeep.cleanup(id)
}
