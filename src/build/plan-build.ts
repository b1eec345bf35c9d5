import { BaleError, printable } from '#base'
import { formatPlatform, type Platform } from '#spec'
import type { BuildOptions } from './build-options.ts'
import {
  checkInstruction,
  checkOptionsOf,
  checkPlannedStage,
  checkStages,
  createChecker,
  type Finding,
  linesOf,
} from './checks/index.ts'
import { type Dockerfile, isKnownSyntax } from './dockerfile/index.ts'
import {
  checkBuildContexts,
  evaluateGlobals,
  type FoundImage,
  type GrowingGraph,
  growGraph,
  type NodeId,
  type PlannedStage,
  type PlanScope,
  planStages,
  predefinedArguments,
  type Stage,
  targetStage,
} from './graph/index.ts'

/** The plan of a build, which grows as stages are requested, and the build checks that accompany it. */
export interface BuildPlan {
  scope: PlanScope
  target: Stage
  graph: GrowingGraph
  /** A finding fails the build. */
  isStrict: boolean
}

interface PlanOptions {
  /** Of the machine that builds. */
  machine: Platform
  /** Patterns of the context's .dockerignore. */
  ignore: readonly string[]
  findImage(of: { reference: string; platform: Platform }, stage: Stage): Promise<FoundImage>
  onPlanned?(planned: PlannedStage): void
  /** Told of each finding once, in the order of the checks. */
  found(finding: Finding): void
}

type Wanted = Pick<BuildOptions, 'target' | 'buildArguments' | 'platform' | 'network' | 'allow' | 'buildContexts'>

/** What is refused before anything is read. */
export function refuseUnsupported({ buildContexts = new Map(), buildArguments }: Wanted): void {
  checkBuildContexts(buildContexts)
  const syntax = buildArguments?.get('BUILDKIT_SYNTAX')
  if (!syntax || isKnownSyntax(syntax)) return
  // The argument is a second way to name a frontend; it is not run either (B04).
  throw new BaleError('UNSUPPORTED', `the frontend ${printable(syntax)} of BUILDKIT_SYNTAX is not supported`, {
    hint: 'bale has docker/dockerfile built in and runs no other frontend',
  })
}

/** Checks the text as a whole now, and each stage once it is planned. Throws DOCKERFILE_INVALID. */
export function planBuild(dockerfile: Dockerfile, wanted: Wanted, options: PlanOptions): BuildPlan {
  const given = wanted.buildArguments ?? new Map<string, string>()
  const checks = checkOptionsOf(dockerfile.directives.check, given.get('BUILDKIT_DOCKERFILE_CHECK'))
  const checker = createChecker(checks, options.found)
  const plan = planStages(dockerfile, (command) => checkInstruction(dockerfile, command, checker))
  const target = targetStage(plan, wanted.target)
  const platform = wanted.platform ?? options.machine
  const scope: PlanScope = {
    ...{ plan, given, platform },
    globals: evaluateGlobals(plan, given, predefinedArguments(platform, options.machine, target.name)),
    network: wanted.network ?? 'bridge',
    allowed: new Set(wanted.allow),
    contexts: wanted.buildContexts ?? new Map(),
  }
  checkStages(scope, checker)
  const graph = growGraph(scope, {
    async findImage(base, stage) {
      const found = await options.findImage(base, stage)
      const isOther =
        found.platform.os !== base.platform.os || found.platform.architecture !== base.platform.architecture
      if (isOther) {
        const [expected, actual] = [formatPlatform(base.platform), formatPlatform(found.platform)]
        checker.report('InvalidBaseImagePlatform', linesOf(stage.from.instruction), base.name, expected, actual)
      }
      return found
    },
    onPlanned(planned) {
      checkPlannedStage(planned, { dockerfile, ignore: options.ignore, checker })
      options.onPlanned?.(planned)
    },
  })
  return { scope, target, graph, isStrict: checks.isStrict }
}

/** Plans all that these nodes need, and executes nothing. */
export async function planAll(graph: GrowingGraph, targets: readonly NodeId[]): Promise<void> {
  const seen = new Set<NodeId>()
  const visit = async (id: NodeId): Promise<void> => {
    if (seen.has(id)) return
    seen.add(id)
    const { inputs } = await graph.node(id)
    await Promise.all(inputs.map(visit))
  }
  await Promise.all(targets.map(visit))
}

/** BuildKit's error for findings that fail the build; undefined when there are none. */
export function strictError(findings: readonly Finding[]): BaleError | undefined {
  if (findings.length === 0) return undefined
  const rules = [...new Set(findings.map(({ rule }) => rule))]
  return new BaleError('DOCKERFILE_INVALID', `lint violation found for rules: ${rules.join(', ')}`, {
    hint: 'the Dockerfile, or BUILDKIT_DOCKERFILE_CHECK, turns findings into errors (error=true)',
    details: { rules, line: findings[0]!.lines[0] },
  })
}
