import type { Digest, Platform } from '#spec'
import { closeTree, mountTar, openNamedDirectory, openSourceTree, type SourceTree } from '../context/index.ts'
import type { Files, OpenFiles, Runners } from '../graph/index.ts'
import type { BuildSession, FoundBase } from '../session/index.ts'

export interface SourcesOptions {
  session: BuildSession
  /** The build context. */
  context: SourceTree
  findImage(reference: string, platform: Platform): Promise<FoundBase>
  signal: AbortSignal
}

/** What there is before the build. */
export function sourceRunners(options: SourcesOptions): Pick<Runners, 'scratch' | 'image' | 'context'> {
  const { session, context, findImage, signal } = options
  return {
    scratch: async ({ label }) => layeredFiles(session, signal, [], label),
    async image({ definition, platform, label }) {
      const { image } = await findImage(definition.reference, platform)
      const layers = image.config.rootfs.diff_ids
      for (const diffId of layers) await session.intake.pin('layer', diffId)
      return layeredFiles(session, signal, layers, label)
    },
    async context({ definition: { place }, label }) {
      if (place === undefined) {
        return { label: context.label, layers: undefined, open: async () => borrowed(context) }
      }
      if (/^https?:\/\//.test(place)) {
        const { body } = await session.machine.fetchUrl(place, { signal })
        const { path } = session.own(await mountTar(session, body, { signal }))
        return { label, layers: undefined, open: async () => owned(openSourceTree(path, { label })) }
      }
      return { label, layers: undefined, open: async () => owned(await openNamedDirectory(session, label, place)) }
    },
  }
}

/** Stacked layers, mounted on first access. */
export function layeredFiles(
  session: BuildSession,
  signal: AbortSignal,
  layers: readonly Digest[],
  label: string,
): Files {
  return {
    label,
    layers,
    async open() {
      const mounted = await session.mount(layers, { signal })
      const tree = openSourceTree(mounted.path, { label })
      return {
        tree,
        async [Symbol.asyncDispose]() {
          tree[Symbol.dispose]()
          await mounted[Symbol.asyncDispose]()
        },
      }
    },
  }
}

function owned(tree: SourceTree): OpenFiles {
  return { tree, [Symbol.asyncDispose]: () => closeTree(tree) }
}

function borrowed(tree: SourceTree): OpenFiles {
  return { tree, [Symbol.asyncDispose]: async () => undefined }
}
