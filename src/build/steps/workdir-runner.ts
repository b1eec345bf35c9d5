import { isBaleError } from '#base'
import { packTarInPieces } from '#format/tar'
import { cacheKey, chainId } from '../cache/index.ts'
import { cleanPath, fromText, openSourceTree, type SourceTree } from '../context/index.ts'
import { createLayerDraft, type Owner, resolveOwner } from '../copy/index.ts'
import type { Files, Step, StepOf } from '../graph/index.ts'
import type { StepContext } from './step-context.ts'

/** Makes the missing directories of the new working directory, owned by the current USER; the root needs none. */
export async function workdirRunner(
  context: StepContext,
  { definition }: StepOf<'workdir'>,
  [below]: readonly Files[],
): Promise<Step> {
  const { directory, user } = definition
  const layers = below!.layers!
  const { session, epoch, signal } = context
  return {
    keys: [async () => cacheKey('workdir', { chain: chainId(layers), directory, user, epoch })],
    async execute() {
      await using mounted = layers.length > 0 ? await session.mount(layers, { signal }) : undefined
      using lower = mounted && openSourceTree(mounted.path, { label: 'the stage' })
      const now = Math.floor(session.machine.clock.now() / 1000)
      const draft = createLayerDraft({ lower, latestTime: epoch, now })
      const path = draft.follow(cleanPath(fromText(directory)))
      const made = draft.makeDirectories(path, { mode: 0o755, ...ownerOf(user, lower) })
      if (made.length === 0) return { diffId: undefined }
      const layer = await session.intake.layers.write(packTarInPieces([made]), { signal, owned: true })
      return { diffId: layer.diffId }
    },
  }
}

/** An unknown USER fails when something is run as that user, not here. */
function ownerOf(user: string, tree: SourceTree | undefined): Owner {
  try {
    return resolveOwner(user, tree)
  } catch (error) {
    if (isBaleError(error, 'BUILD_FAILED')) return { uid: 0, gid: 0 }
    throw error
  }
}
