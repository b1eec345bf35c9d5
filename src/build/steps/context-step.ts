import { packTar } from '#format/tar'
import type { BuildRun, LayerStep, StepSource } from '../build-run.ts'
import { cacheKey } from '../cache-key.ts'
import { contentDigest } from '../copy/content-digest.ts'
import { createLayerDraft } from '../copy/layer-draft.ts'
import { place } from '../copy/place.ts'
import { selectSources } from '../copy/selection.ts'

/** FROM a context of files: they are the first layer. Times do not count for the cache, as for COPY. */
export async function contextStep(run: BuildRun, name: string, find: () => Promise<StepSource>): Promise<LayerStep> {
  const { session, epoch, signal } = run
  const source = await find()
  const opened = await source.open()
  const select = () => selectSources(opened.tree, '.', { excludes: [], parents: false, signal })
  return {
    title: `FROM ${name}`,
    createdBy: `FROM ${name}`,
    keys: [async () => cacheKey('context', { content: await contentDigest(select()), epoch })],
    async execute() {
      const now = Math.floor(session.machine.clock.now() / 1000)
      const draft = createLayerDraft({ lower: undefined, latestTime: epoch, now })
      const entries = select().flatMap((selection) => [
        ...place(draft, selection, '', { owner: undefined, chmod: undefined }),
      ])
      const { diffId } = await session.machine.store.layers.write(packTar(entries), { signal })
      return { diffId }
    },
    async close() {
      await opened[Symbol.asyncDispose]()
    },
  }
}
