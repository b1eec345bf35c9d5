import { isBaleError } from '#base'
import { packTar } from '#format/tar'
import { applyWorkdir } from '../apply-metadata.ts'
import type { BuildRun, LayerStep } from '../build-run.ts'
import { cacheKey, chainId } from '../cache-key.ts'
import { cleanPath, fromText } from '../context/byte-path.ts'
import { openSourceTree, type SourceTree } from '../context/source-tree.ts'
import { createLayerDraft } from '../copy/layer-draft.ts'
import { type Owner, resolveOwner } from '../copy/owner.ts'
import type { TextCommand } from '../dockerfile/index.ts'
import type { StageState } from '../stage-state.ts'
import { stepTitle } from './title.ts'

/** Makes the missing directories of the new working directory, owned by the current USER; the root needs none. */
export function workdirStep(run: BuildRun, state: StageState, command: TextCommand): LayerStep {
  const title = stepTitle(command.instruction, state)
  const directory = applyWorkdir(state, command.text, command.instruction)
  const user = state.config.User ?? ''
  const layers = [...state.diffIds]
  const { session, epoch, signal } = run
  return {
    title,
    createdBy: `WORKDIR ${directory}`,
    keys: [async () => cacheKey('workdir', { chain: chainId(layers), directory, user, epoch })],
    async execute() {
      await using mounted = layers.length > 0 ? await session.mount(layers, { signal }) : undefined
      using lower = mounted && openSourceTree(mounted.path, { label: 'the stage' })
      const now = Math.floor(session.machine.clock.now() / 1000)
      const draft = createLayerDraft({ lower, latestTime: epoch, now })
      const path = draft.follow(cleanPath(fromText(directory)))
      const made = draft.makeDirectories(path, { mode: 0o755, ...ownerOf(user, lower) })
      if (made.length === 0) return { diffId: undefined }
      const layer = await session.machine.store.layers.write(packTar(made), { signal })
      return { diffId: layer.diffId }
    },
  }
}

/** An unknown USER fails when something is run as that user, not here (edge 24). */
function ownerOf(user: string, tree: SourceTree | undefined): Owner {
  try {
    return resolveOwner(user, tree)
  } catch (error) {
    if (isBaleError(error, 'BUILD_FAILED')) return { uid: 0, gid: 0 }
    throw error
  }
}
