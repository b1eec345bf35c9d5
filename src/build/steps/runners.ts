import type { Runners } from '../graph/index.ts'
import { contextLayerRunner } from './context-layer-runner.ts'
import { copyRunner } from './copy-runner.ts'
import { runRunner } from './run-runner.ts'
import { type SourcesOptions, sourceRunners } from './sources.ts'
import type { StepContext } from './step-context.ts'
import { workdirRunner } from './workdir-runner.ts'

/** How this machine does the operations of a graph. */
export function createRunners(context: StepContext, sources: Pick<SourcesOptions, 'context' | 'findImage'>): Runners {
  return {
    ...sourceRunners({ session: context.session, signal: context.signal, ...sources }),
    run: (node, inputs) => runRunner(context, node, inputs),
    copy: (node, inputs) => copyRunner(context, node, inputs),
    workdir: (node, inputs) => workdirRunner(context, node, inputs),
    'context-layer': (_node, inputs) => contextLayerRunner(context, inputs),
  }
}
