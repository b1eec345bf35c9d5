import type { Platform } from '#spec'
import type { BuildOperations } from './build-operations.ts'
import type { ContainerOperations } from './container-operations.ts'
import type { EngineConfig } from './context/config.ts'
import { createContext, type EngineOptions } from './context/context.ts'
import type { ImageOperations } from './image-operations.ts'
import type { NetworkOperations } from './network-operations.ts'
import type { RegistryOperations } from './registry-operations.ts'
import type { SystemOperations } from './system-operations.ts'
import type { TrustOperations } from './trust-operations.ts'
import type { VolumeOperations } from './volume-operations.ts'

/** bale as a library. Dispose it to close the store; running containers continue. */
export interface Engine extends AsyncDisposable {
  readonly config: EngineConfig
  /** The platform of this machine. */
  readonly platform: Platform
  /** Images of the store, and their way in and out. */
  readonly images: ImageOperations
  /** Containers of this machine. */
  readonly containers: ContainerOperations
  /** Networks that containers join. */
  readonly networks: NetworkOperations
  /** Volumes: directories that outlive the containers that mount them. */
  readonly volumes: VolumeOperations
  /** Builds from Dockerfiles, and the cache of their steps. */
  readonly builds: BuildOperations
  /** Logins, and what registries hold. */
  readonly registries: RegistryOperations
  /** What is inside images, and whether it can be trusted. */
  readonly trust: TrustOperations
  /** The machine and the store as a whole. */
  readonly system: SystemOperations
}

/** Nothing is opened or created before the first operation needs it. Throws INVALID_ARGUMENT for a configuration that is wrong. */
export function createEngine(options: EngineOptions): Engine {
  const context = createContext(options)
  return {
    config: context.config,
    platform: context.platform,
    images: loadedOnCall(async () => new (await import('./image-operations.ts')).ImageOperations(context)),
    containers: loadedOnCall(async () => new (await import('./container-operations.ts')).ContainerOperations(context)),
    networks: loadedOnCall(async () => new (await import('./network-operations.ts')).NetworkOperations(context)),
    volumes: loadedOnCall(async () => new (await import('./volume-operations.ts')).VolumeOperations(context)),
    builds: loadedOnCall(async () => new (await import('./build-operations.ts')).BuildOperations(context)),
    registries: loadedOnCall(async () => new (await import('./registry-operations.ts')).RegistryOperations(context)),
    trust: loadedOnCall(async () => new (await import('./trust-operations.ts')).TrustOperations(context)),
    system: loadedOnCall(async () => new (await import('./system-operations.ts')).SystemOperations(context)),
    [Symbol.asyncDispose]: () => context[Symbol.asyncDispose](),
  }
}

type Operations<T> = { [Name in keyof T]: (...args: never[]) => Promise<unknown> }

/**
 * An object whose file is loaded when one of its methods is first called, since a command line that starts in 60 ms cannot
 * load all of them. It works because every method is asynchronous, which the type holds.
 */
function loadedOnCall<T extends Operations<T>>(load: () => Promise<T>): T {
  let loading: Promise<Record<PropertyKey, (...args: unknown[]) => unknown>> | undefined
  const call =
    (name: PropertyKey) =>
    async (...args: unknown[]) => {
      loading ??= load() as Promise<object> as NonNullable<typeof loading>
      return (await loading)[name]!(...args)
    }
  // Not a promise itself, although `await` looks for a method of that name.
  return new Proxy({} as T, {
    get: (_, name) => (typeof name === 'symbol' || name === 'then' ? undefined : call(name)),
  })
}
