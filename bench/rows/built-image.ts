import type { Turn } from '../row.ts'

export const BUILT = 'bench/built:1'

/** Has the tool the image that the context makes as it is now; builds it without counting that where not. */
export async function builtImage({ bench, tool, state, must }: Turn): Promise<void> {
  if (state.built === bench.context.version) return
  await must(tool.build!(BUILT, bench.context.directory))
  markBuilt(bench, state)
}

/** The same with a large layer that no registry has seen. */
export async function unpushedImage(turn: Turn): Promise<void> {
  if (!turn.state.unpushed) {
    turn.bench.context.change()
    await builtImage(turn)
  }
  turn.state.unpushed = false
}

/** Makes the image and whatever a build could take from a cache go. */
export async function forgetBuild({ tool, state, must }: Turn): Promise<void> {
  if (state.built !== undefined) await must(tool.remove!(BUILT))
  delete state.built
  for (const command of tool.forgetBuilds?.() ?? []) await must(command)
}

/** After a build that was timed. */
export function markBuilt(bench: Turn['bench'], state: Turn['state']): void {
  state.built = bench.context.version
  state.unpushed = true
}
