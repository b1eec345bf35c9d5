import { isUrl } from '#base'
import type { RecordedStep } from '#build'

/**
 * The steps without contexts that nothing read: ADD of a URL and COPY of a heredoc name a context that they do not need.
 */
export function readSteps(steps: readonly RecordedStep[]): RecordedStep[] {
  const read = new Set(steps.filter(readsFiles).flatMap(({ node }) => node.inputs))
  return steps.filter(({ node }) => node.operation !== 'context' || read.has(node.id))
}

function readsFiles({ node }: RecordedStep): boolean {
  if (node.operation !== 'copy') return true
  const { kind, sources } = node.definition
  return sources.some((source) => kind === 'COPY' || !isUrl(source))
}
