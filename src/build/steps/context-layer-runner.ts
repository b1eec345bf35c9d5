import { packTar } from '#format/tar'
import { cacheKey } from '../cache/index.ts'
import { contentDigest, createLayerDraft, place, selectSources } from '../copy/index.ts'
import type { Files, Step } from '../graph/index.ts'
import type { StepContext } from './step-context.ts'

/** FROM a context of files: they are the first layer. Times do not count for the cache, as for COPY. */
export async function contextLayerRunner(
  { session, epoch, signal }: StepContext,
  [, source]: readonly Files[],
): Promise<Step> {
  const opened = await source!.open()
  const select = () => selectSources(opened.tree, '.', { excludes: [], parents: false, signal })
  return {
    keys: [async () => cacheKey('context', { content: await contentDigest(await select(), { signal }), epoch })],
    async execute() {
      const now = Math.floor(session.machine.clock.now() / 1000)
      const draft = createLayerDraft({ lower: undefined, latestTime: epoch, now })
      const entries = (await select()).flatMap((selection) => [
        ...place(draft, selection, '', { owner: undefined, chmod: undefined }),
      ])
      const { diffId } = await session.intake.layers.write(packTar(entries), { signal })
      return { diffId }
    },
    async close() {
      await opened[Symbol.asyncDispose]()
    },
  }
}
