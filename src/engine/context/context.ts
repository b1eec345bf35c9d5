import { existsSync } from 'node:fs'
import { type Clock, type Log, systemClock } from '#base'
import type { RootfsMounter } from '#rootfs'
import type { Platform } from '#spec'
import type { Store } from '#store'
import { type EngineConfig, machinePlatform } from './config.ts'

/**
 * What every operation uses: the configuration and the rooms below, each opened at its first use, so that a verb
 * pays only for what it needs. Operations are functions whose first argument is this.
 */
export interface EngineContext extends AsyncDisposable {
  readonly config: EngineConfig
  readonly clock: Clock
  readonly log: Log
  readonly platform: Platform
  store(): Promise<Store>
  /** As `store`, but never makes it: undefined when it was deleted. For what monitors call at a container's end. */
  existingStore(): Promise<Store | undefined>
  rootfs(): Promise<RootfsMounter>
}

/**
 * What an engine is made of: its configuration, and where time and diagnostics come from (the system's clock and
 * stderr by default).
 */
export interface EngineOptions {
  config: EngineConfig
  clock?: Clock
  log?: Log
  /** The process ends soon after the engine is disposed: the store's file is closed by that end. */
  untilExit?: boolean
}

export function createContext({
  config,
  clock = systemClock,
  log = stderrLog(config),
  untilExit,
}: EngineOptions): EngineContext {
  const rooms = () => Promise.all([import('#store'), import('#rootfs'), import('#container/records')])
  const open = async (): Promise<Store> => {
    const [{ openStore }, { chooseLayerFormat }, { recordKinds: kinds }] = await rooms()
    const layerFormats = await chooseLayerFormat(config.root, config.snapshotter)
    // Layers that the store already holds in the other form stay readable.
    return openStore({ root: config.root, run: config.run, layerFormats, kinds, clock, log, untilExit })
  }
  const store = once(open)
  const rootfs = once(async () => {
    const { chooseLayerMounts, createRootfs } = await import('#rootfs')
    const layerMounts = () => chooseLayerMounts(config.root, config.layerMounts)
    return createRootfs({ store: await store(), run: config.run, layerMounts, log })
  })
  return {
    config,
    clock,
    log,
    platform: machinePlatform(),
    store,
    async existingStore() {
      // Loaded before the check: otherwise a store that is deleted meanwhile would be made again.
      const [{ databasePath }] = await rooms()
      return existsSync(databasePath(config.root)) ? store() : undefined
    },
    rootfs,
    async [Symbol.asyncDispose]() {
      await (await store.opened())?.[Symbol.asyncDispose]()
    },
  }
}

/** Opens at the first call; later calls share the result. `opened` never opens, and is undefined after a failure. */
function once<T>(open: () => Promise<T>): (() => Promise<T>) & { opened(): Promise<T | undefined> } {
  let opening: Promise<T> | undefined
  let value: T | undefined
  const get = () => {
    opening ??= open().then((result) => {
      value = result
      return result
    })
    return opening
  }
  const settled = async () => {
    // The failure was thrown at the first use; here only the result matters.
    await Promise.allSettled(opening ? [opening] : [])
    return value
  }
  return Object.assign(get, { opened: settled })
}

function stderrLog(config: EngineConfig): Log {
  const rooms = new Set(config.debug)
  const warned = new Set<string>()
  return {
    warn(message) {
      if (warned.has(message)) return
      warned.add(message)
      process.stderr.write(`WARNING: ${message}\n`)
    },
    debug(room, message, details) {
      if (!rooms.has('*') && !rooms.has(room)) return
      process.stderr.write(`${room}: ${message}${details ? ` ${JSON.stringify(details)}` : ''}\n`)
    },
  }
}
