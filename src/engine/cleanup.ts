import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { containerMachinery } from './container-machinery.ts'
import type { EngineContext } from './context.ts'

export async function cleanupContainer(context: EngineContext, id: string): Promise<void> {
  const { root, run, path } = context.config
  const room = await import('#container')
  // A store that was deleted is not made again for this.
  if (!existsSync(join(root, 'bale.db'))) return room.abandonContainer({ run, path }, id)
  const machinery = await containerMachinery(context)
  await room.cleanupContainer(machinery, id, {
    restart: async (again) => {
      await room.startContainer(machinery, again, { restart: true })
    },
  })
}
