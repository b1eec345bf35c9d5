import { fileURLToPath } from 'node:url'
import type { Machinery } from '#container'
import type { EngineContext } from './context.ts'

const opened = new WeakMap<EngineContext, Promise<Machinery>>()

/** What operations on containers stand on, opened once per engine. */
export function containerMachinery(context: EngineContext): Promise<Machinery> {
  const machinery = opened.get(context) ?? open(context)
  opened.set(context, machinery)
  return machinery
}

async function open(context: EngineContext): Promise<Machinery> {
  const [{ openMachinery }, store, rootfs] = await Promise.all([
    import('#container'),
    context.store(),
    context.rootfs(),
  ])
  const { config, clock, log } = context
  const runtime = config.runtime === 'auto' ? undefined : config.runtime
  return openMachinery({ store, rootfs, path: config.path, runtime, selfCommand: selfCommand(context), clock, log })
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
