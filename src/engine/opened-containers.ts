import { fileURLToPath } from 'node:url'
import type { Containers } from '#container'
import type { EngineContext } from './context/context.ts'

const opened = new WeakMap<EngineContext, Promise<Containers>>()

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

/** The command line that monitors run when a container ends: this installation of bale on this store. */
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

/** The configured runtime; undefined: the installed one. */
function runtimeOf({ config }: Pick<EngineContext, 'config'>): string | undefined {
  return config.runtime === 'auto' ? undefined : config.runtime
}
