import { BaleError } from '#base'
import type { Containers, PolicyResult } from '#container'
import { mayMount } from '#host'
import type { EngineContext } from './context/context.ts'
import { openedContainers } from './opened-containers.ts'
import { recoverOnceAfterBoot } from './recovery.ts'

/**
 * The containers of this machine, opened once per engine. Throws UNSUPPORTED_HOST for callers that are not root: containers
 * are root's, so "no such container" would only mislead.
 */
export async function containerMachinery(context: EngineContext): Promise<Containers> {
  requireRoot('containers')
  return containerRecords(context)
}

/** Throws UNSUPPORTED_HOST where mounts and namespaces are not allowed; `what` (in the plural) needs them. */
export function requireRoot(what: string): void {
  if (mayMount()) return
  const who = process.geteuid?.() === 0 ? 'this root lacks CAP_SYS_ADMIN' : 'you are not root'
  throw new BaleError('UNSUPPORTED_HOST', `${what} need root, and ${who}`, {
    next: { act: 'run-as-root' },
    hint: 'images can be pulled, saved, loaded, tagged and pushed without root',
  })
}

/** As `containerMachinery`, for what only reads or writes records: lists, volumes, networks. */
export function containerRecords(context: EngineContext): Promise<Containers> {
  const containers = booted.get(context) ?? afterBoot(context)
  booted.set(context, containers)
  return containers
}

const booted = new WeakMap<EngineContext, Promise<Containers>>()

/**
 * The first engine after a boot starts containers according to their restart policy, and then removes what the end of the machine
 * left: in this order, since the end of a container that is recorded now no longer looks like one by the boot.
 */
async function afterBoot(context: EngineContext): Promise<Containers> {
  const containers = await openedContainers(context)
  if (!mayMount()) return containers
  const result = await containers.upkeep.startOnceAfterBoot()
  if (result) bootResults.set(context, result)
  // The record of each gives the reason, too; the command that came first must not fail for it.
  for (const { name, error } of result?.failed ?? [])
    context.log.debug('container', `${name} was not started after the boot: ${String(error)}`)
  await recoverOnceAfterBoot(context)
  return containers
}

const bootResults = new WeakMap<EngineContext, PolicyResult>()

/** What this engine started because it was the first one after a boot. */
export function startedAfterBoot(context: EngineContext): readonly string[] {
  return bootResults.get(context)?.done ?? []
}
