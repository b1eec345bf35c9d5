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
    buildImage: bind(async () => (await import('./build.ts')).buildImage),
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

    // containers
    createContainer: bind(async () => (await import('./create.ts')).createContainer),
    runContainer: bind(async () => (await import('./run.ts')).runContainer),
    startContainer: bind(async () => (await import('./start.ts')).startContainer),
    attachContainer: bind(async () => (await import('./start.ts')).attachContainer),
    rawTerminal: bind(async () => (await import('./raw-terminal.ts')).rawTerminal),
    stopContainer: bind(async () => (await import('./container-lifecycle.ts')).stopContainer),
    restartContainer: bind(async () => (await import('./container-lifecycle.ts')).restartContainer),
    killContainer: bind(async () => (await import('./container-lifecycle.ts')).killContainer),
    pauseContainer: bind(async () => (await import('./container-lifecycle.ts')).pauseContainer),
    unpauseContainer: bind(async () => (await import('./container-lifecycle.ts')).unpauseContainer),
    waitContainer: bind(async () => (await import('./container-lifecycle.ts')).waitContainer),
    renameContainer: bind(async () => (await import('./container-lifecycle.ts')).renameContainer),
    updateContainer: bind(async () => (await import('./container-lifecycle.ts')).updateContainer),
    removeContainer: bind(async () => (await import('./container-lifecycle.ts')).removeContainer),
    cleanupContainer: bind(async () => (await import('./container-lifecycle.ts')).cleanupContainer),
    startByPolicy: bind(async () => (await import('./container-lifecycle.ts')).startByPolicy),
    stopForShutdown: bind(async () => (await import('./container-lifecycle.ts')).stopForShutdown),
    rotateContainerLog: bind(async () => (await import('./container-lifecycle.ts')).rotateContainerLog),
    superviseHealth: bind(async () => (await import('./container-lifecycle.ts')).superviseHealth),
    listContainers: bind(async () => (await import('./list-containers.ts')).listContainers),
    pruneContainers: bind(async () => (await import('./list-containers.ts')).pruneContainers),
    inspectContainer: bind(async () => (await import('./inspect-container.ts')).inspectContainer),
    execContainer: bind(async () => (await import('./exec.ts')).execContainer),
    containerLogs: bind(async () => (await import('./container-output.ts')).containerLogs),
    containerProcesses: bind(async () => (await import('./container-output.ts')).containerProcesses),
    containerUsage: bind(async () => (await import('./container-output.ts')).containerUsage),
    copyIntoContainer: bind(async () => (await import('./copy.ts')).copyIntoContainer),
    copyFromContainer: bind(async () => (await import('./copy.ts')).copyFromContainer),
    readContainerPath: bind(async () => (await import('./copy.ts')).readContainerPath),
    writeContainerPath: bind(async () => (await import('./copy.ts')).writeContainerPath),
    containerDiff: bind(async () => (await import('./diff.ts')).containerDiff),
    exportContainer: bind(async () => (await import('./diff.ts')).exportContainer),
    commitContainer: bind(async () => (await import('./commit.ts')).commitContainer),
    resizeContainer: bind(async () => (await import('./container-output.ts')).resizeContainer),

    // volumes and networks
    createVolume: bind(async () => (await import('./volumes.ts')).createVolume),
    inspectVolume: bind(async () => (await import('./volumes.ts')).inspectVolume),
    listVolumes: bind(async () => (await import('./volumes.ts')).listVolumes),
    removeVolume: bind(async () => (await import('./volumes.ts')).removeVolume),
    pruneVolumes: bind(async () => (await import('./volumes.ts')).pruneVolumes),
    createNetwork: bind(async () => (await import('./networks.ts')).createNetwork),
    listNetworks: bind(async () => (await import('./networks.ts')).listNetworks),
    inspectNetwork: bind(async () => (await import('./networks.ts')).inspectNetwork),
    removeNetwork: bind(async () => (await import('./networks.ts')).removeNetwork),
    pruneNetworks: bind(async () => (await import('./networks.ts')).pruneNetworks),

    // system
    diskUsage: bind(async () => (await import('./system.ts')).diskUsage),
    walls: bind(async () => (await import('./information.ts')).walls),
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
