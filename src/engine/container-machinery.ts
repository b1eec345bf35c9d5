import { fileURLToPath } from 'node:url'
import { BaleError } from '#base'
import type { Machinery, PolicyResult } from '#container'
import { mayMount } from '#host'
import type { EngineContext } from './context.ts'

const opened = new WeakMap<EngineContext, Promise<Machinery>>()

/**
 * What operations on containers stand on, opened once per engine. Throws UNSUPPORTED_HOST for who is not root: containers
 * are root's, so that "no such container" would only mislead.
 */
export async function containerMachinery(context: EngineContext): Promise<Machinery> {
  requireRoot('containers')
  return containerRecords(context)
}

/** `what` (in the plural) cannot be had without mounting and namespaces. */
export function requireRoot(what: string): void {
  if (mayMount()) return
  const who = process.geteuid?.() === 0 ? 'this root lacks CAP_SYS_ADMIN' : 'you are not root'
  throw new BaleError('UNSUPPORTED_HOST', `${what} need root, and ${who}`, {
    hint: 'run the command with sudo; images can be pulled, saved, loaded, tagged and pushed without it',
  })
}

/** As `containerMachinery`, for what only reads or writes records: lists, volumes, networks. */
export function containerRecords(context: EngineContext): Promise<Machinery> {
  const machinery = opened.get(context) ?? open(context)
  opened.set(context, machinery)
  return machinery
}

async function open(context: EngineContext): Promise<Machinery> {
  const [room, store, rootfs] = await Promise.all([import('#container'), context.store(), context.rootfs()])
  const { config, clock, log } = context
  const runtime = runtimeOf(context)
  const options = { store, rootfs, path: config.path, runtime, selfCommand: selfCommand(context), clock, log }
  const machinery = room.openMachinery(options)
  const result = mayMount() ? await room.startOnceAfterBoot(machinery) : undefined
  if (result) bootResults.set(context, result)
  // The record of each tells why, too; the command that came first must not fail for it.
  for (const { name, error } of result?.failed ?? [])
    log.debug('container', `${name} was not started after the boot: ${String(error)}`)
  return machinery
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
export function runtimeOf({ config }: Pick<EngineContext, 'config'>): string | undefined {
  return config.runtime === 'auto' ? undefined : config.runtime
}
