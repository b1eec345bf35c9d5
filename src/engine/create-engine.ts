import { createContext, type EngineContext, type EngineOptions } from './context.ts'

/** An operation as its file exports it, and as the engine offers it: without the context. */
type Bound<F> = F extends (context: EngineContext, ...args: infer A) => infer R
  ? (...args: A) => Promise<Awaited<R>>
  : never

/**
 * The engine: one asynchronous function per operation. Each is loaded from its own file when it is first called, since
 * a command line that starts in 60 ms cannot load everything. Dispose it to close the store.
 */
export function createEngine(options: EngineOptions) {
  const context = createContext(options)
  const bind = <F extends (context: EngineContext, ...args: never[]) => unknown>(load: () => Promise<F>): Bound<F> =>
    (async (...args: never[]) => (await load())(context, ...args)) as Bound<F>
  return {
    config: context.config,
    platform: context.platform,

    // images
    importImage: bind(async () => (await import('./import-image.ts')).importImage),
    tagImage: bind(async () => (await import('./tag-image.ts')).tagImage),
    removeImage: bind(async () => (await import('./remove-image.ts')).removeImage),
    saveImages: bind(async () => (await import('./save-images.ts')).saveImages),
    loadImages: bind(async () => (await import('./load-images.ts')).loadImages),
    listImages: bind(async () => (await import('./list-images.ts')).listImages),
    listImageRows: bind(async () => (await import('./list-images.ts')).listImageRows),
    inspectImage: bind(async () => (await import('./inspect-image.ts')).inspectImage),
    imageHistory: bind(async () => (await import('./inspect-image.ts')).imageHistory),
    pruneImages: bind(async () => (await import('./system.ts')).pruneImages),

    // registries
    pullImage: bind(async () => (await import('./pull.ts')).pullImage),
    pushImage: bind(async () => (await import('./push.ts')).pushImage),
    login: bind(async () => (await import('./login.ts')).login),
    checkStoredLogin: bind(async () => (await import('./login.ts')).checkStoredLogin),
    logout: bind(async () => (await import('./login.ts')).logout),
    listTags: bind(async () => (await import('./list-tags.ts')).listTags),
    inspectManifest: bind(async () => (await import('./manifest-inspect.ts')).inspectManifest),
    createManifestList: bind(async () => (await import('./manifest-list.ts')).createManifestList),
    addToManifestList: bind(async () => (await import('./manifest-list.ts')).addToManifestList),
    annotateManifestList: bind(async () => (await import('./manifest-list.ts')).annotateManifestList),
    pushManifestList: bind(async () => (await import('./manifest-push.ts')).pushManifestList),
    removeManifestList: bind(async () => (await import('./manifest-list.ts')).removeManifestList),

    // system
    diskUsage: bind(async () => (await import('./system.ts')).diskUsage),
    checkStore: bind(async () => (await import('./system.ts')).checkStore),
    pruneBuildCache: bind(async () => (await import('./system.ts')).pruneBuildCache),
    collectGarbage: bind(async () => (await import('./system.ts')).collectGarbage),
    version: bind(async () => (await import('./information.ts')).version),
    information: bind(async () => (await import('./information.ts')).information),

    async [Symbol.asyncDispose]() {
      await context[Symbol.asyncDispose]()
    },
  }
}

export type Engine = ReturnType<typeof createEngine>
