import { asError, BaleError, isBaleError, type Recovered, type Recovery } from '#base'
import { mayMount, oncePerBoot } from '#host'
import type { EngineContext } from './context/context.ts'
import { openedContainers } from './opened-containers.ts'

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

/** The rooms that hold the disk space of builds. */
export const BUILD_ROOMS: readonly Room[] = ['build steps', 'builds', 'build cache', 'store']

/**
 * The rooms with leftovers of the machine's end. The store's leftovers stay for a collection: among them are partial downloads, which
 * the next pull continues.
 */
const BOOT_ROOMS: readonly Room[] = ['containers', 'build steps', 'builds']

/** What the rooms removed, and what failed. */
interface RoomsRecovered extends Recovered {
  /** RECOVERY_FAILED, naming every room that failed; the caller decides whether and when it is thrown. */
  failure?: BaleError
}

/** What the recovery after a boot removed: it is part of the answer to the first caller that asks for a recovery. */
const untold = new WeakMap<EngineContext, Recovered>()

/** Runs the recoveries of all rooms, or of some of them, one after the other. One that fails does not stop the others. */
export async function recover(context: EngineContext, only?: readonly Room[]): Promise<RoomsRecovered> {
  const before = untold.get(context)
  untold.delete(context)
  return recoverRooms(context, only, before)
}

async function recoverRooms(
  context: EngineContext,
  only: readonly Room[] | undefined,
  before: Recovered = { removed: 0, freed: 0 },
): Promise<RoomsRecovered> {
  const total = { removed: before.removed, freed: before.freed }
  const failures: RoomFailure[] = []
  for (const [room, open] of Object.entries(ROOMS) as [Room, (typeof ROOMS)[Room]][]) {
    if (only && !only.includes(room)) continue
    // Callers that may not mount have no containers, and must not undo those of others.
    if (room === 'containers' && !mayMount()) continue
    try {
      const { sweeps, recover: run } = await open(context)
      const { removed, freed } = await run()
      context.log.debug('recovery', `${room}: ${sweeps}`, { removed, freed })
      total.removed += removed
      total.freed += freed
    } catch (error) {
      failures.push({ room, error: asError(error) })
    }
  }
  return failures.length === 0 ? total : { ...total, failure: failureOf(failures) }
}

interface RoomFailure {
  room: Room
  error: Error
}

function failureOf(failures: readonly RoomFailure[]): BaleError {
  const reasons = failures.map(({ room, error }) => `${room}: ${error.message}`)
  const advised = failures.map(({ error }) => error).find((error) => isBaleError(error))
  return new BaleError('RECOVERY_FAILED', `not all leftovers of killed processes were removed: ${reasons.join('; ')}`, {
    hint: advised?.hint,
    next: advised?.next,
    cause: new AggregateError(failures.map(({ error }) => error)),
    details: { rooms: failures.map(({ room }) => room) },
  })
}

/**
 * `recover` once after each boot, by the command that comes first; others do not wait for it. The command goes on when it
 * fails: it did not ask for this.
 */
export async function recoverOnceAfterBoot(context: EngineContext): Promise<void> {
  const { run } = await context.store()
  try {
    const recovered = await oncePerBoot({ run, name: 'recovered', timeoutMs: 0 }, () =>
      recoverRooms(context, BOOT_ROOMS),
    )
    if (recovered) untold.set(context, recovered)
    if (recovered?.failure) context.log.warn?.(recovered.failure.message)
  } catch (error) {
    if (!isBaleError(error, 'LOCKED')) throw error
  }
}
