import type { Recovered, Recovery } from '#base'
import { mayMount } from '#host'
import { openedContainers } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'

/**
 * The recovery of every room, in the order in which they must run: processes, then what they have mounted, then records and
 * files. Each room is loaded when its turn comes. A new room is one line here, and one in ARCHITECTURE.md.
 */
const ROOMS = {
  containers: async (context) => (await openedContainers(context)).upkeep.recovery,
  'build steps': async (context) => (await openedContainers(context)).steps.recovery,
  builds: async (context) =>
    (await import('#build')).buildRecovery({ store: await context.store(), rootfs: await context.rootfs() }),
  'build cache': async (context) => (await import('#build')).cacheRecovery((await context.store()).buildCache),
  store: async (context) => (await context.store()).recovery,
} satisfies Record<string, (context: EngineContext) => Promise<Recovery>>

type Room = keyof typeof ROOMS

/** What holds room that a build may have taken. */
export const BUILD_ROOMS: readonly Room[] = ['build steps', 'builds', 'build cache', 'store']

/** Runs the recoveries of all rooms, or of some of them, one after the other. */
export async function recover(context: EngineContext, only?: readonly Room[]): Promise<Recovered> {
  const total = { removed: 0, freed: 0 }
  for (const [room, open] of Object.entries(ROOMS) as [Room, (typeof ROOMS)[Room]][]) {
    if (only && !only.includes(room)) continue
    // Whoever may not mount has no containers; what others left of theirs is not his to undo.
    if (room === 'containers' && !mayMount()) continue
    const { sweeps, recover: run } = await open(context)
    const { removed, freed } = await run()
    context.log.debug('recovery', `${room}: ${sweeps}`, { removed, freed })
    total.removed += removed
    total.freed += freed
  }
  return total
}
