import { cacheKey } from '../cache/index.ts'
import { contentDigest, createLayerDraft, place, selectSources } from '../copy/index.ts'
import type { Files, Step } from '../graph/index.ts'
import type { StepContext } from './step-context.ts'
import { writeInPieces } from './write-in-pieces.ts'

/** FROM a context of files: they are the first layer. Times do not count for the cache, as for COPY. */
export async function contextLayerRunner(context: StepContext, [, source]: readonly Files[]): Promise<Step> {
  const { session, epoch, signal } = context
  const opened = await source!.open()
  const select = () => selectSources(opened.tree, '.', { excludes: [], parents: false })
  return {
    keys: [async () => cacheKey('context', { content: await contentDigest(select(), { signal }), epoch })],
    async execute() {
      const now = Math.floor(session.machine.clock.now() / 1000)
      const draft = createLayerDraft({ lower: undefined, latestTime: epoch, now })
      const placed = select().map((selection) =>
        place(draft, selection, '', { owner: undefined, chmod: undefined, isLast: true }),
      )
      return { diffId: await writeInPieces(context, placed) }
    },
    async close() {
      await opened[Symbol.asyncDispose]()
    },
  }
}
