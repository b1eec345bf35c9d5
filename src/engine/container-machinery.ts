import { fileURLToPath } from 'node:url'
import { BaleError } from '#base'
import type { Containers, PolicyResult } from '#container'
import { mayMount } from '#host'
import type { EngineContext } from './context/context.ts'

const opened = new WeakMap<EngineContext, Promise<Containers>>()

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

/** The first engine after a boot starts containers according to their restart policy. */
async function afterBoot(context: EngineContext): Promise<Containers> {
  const containers = await openedContainers(context)
  const result = mayMount() ? await containers.upkeep.startOnceAfterBoot() : undefined
  if (result) bootResults.set(context, result)
  // The record of each gives the reason, too; the command that came first must not fail for it.
  for (const { name, error } of result?.failed ?? [])
    context.log.debug('container', `${name} was not started after the boot: ${String(error)}`)
  return containers
}

/** Steps of builds: they start no containers after a boot. */
export async function buildSteps(context: EngineContext): Promise<Containers['steps']> {
  return (await openedContainers(context)).steps
}

/** The containers of this machine, without starting any after a boot. */
export function openedContainers(context: EngineContext): Promise<Containers> {
  const containers = opened.get(context) ?? open(context)
  opened.set(context, containers)
  return containers
}

async function open(context: EngineContext): Promise<Containers> {
  const [{ openContainers }, store, rootfs] = await Promise.all([
    import('#container'),
    context.store(),
    context.rootfs(),
  ])
  const { config, clock, log } = context
  const runtime = runtimeOf(context)
  return openContainers({ store, rootfs, path: config.path, runtime, selfCommand: selfCommand(context), clock, log })
}

const bootResults = new WeakMap<EngineContext, PolicyResult>()

/** What this engine started because it was the first one after a boot. */
export function startedAfterBoot(context: EngineContext): readonly string[] {
  return bootResults.get(context)?.done ?? []
}

/** The command line that monitors run when a container ends: this very bale on this very store. */
function selfCommand({ config }: EngineContext): string[] {
  const start = fileURLToPath(new URL('../../bin/start.js', import.meta.url))
  const sources = import.meta.url.endsWith('.ts') ? ['--conditions=source'] : []
  const flags = [
    '--root',
    config.root,
    '--run',
    config.run,
    '--snapshotter',
    config.snapshotter,
    '--runtime',
    config.runtime,
  ]
  return [process.execPath, ...sources, '--disable-warning=ExperimentalWarning', start, ...flags]
}

/** The runtime that was chosen; undefined: what is installed. */
function runtimeOf({ config }: Pick<EngineContext, 'config'>): string | undefined {
  return config.runtime === 'auto' ? undefined : config.runtime
}
