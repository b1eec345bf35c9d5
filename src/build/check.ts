import { type BaleError, isBaleError } from '#base'
import type { BuildOptions } from './build-options.ts'
import type { Finding } from './checks/index.ts'
import { openContext } from './context/index.ts'
import { type Dockerfile, parseDockerfile } from './dockerfile/index.ts'
import { createImageFinder } from './image-finder.ts'
import { planAll, planBuild, refuseUnsupported, strictError } from './plan-build.ts'
import { type BuildMachine, openBuildSession } from './session/index.ts'

/** What the build checks say of a Dockerfile. */
export interface CheckReport {
  /** In the order of the checks. */
  findings: readonly Finding[]
  source: { name: string; text: string }
  /** Why the Dockerfile cannot be built at all. The checks are then incomplete. */
  error?: { message: string; lines: readonly number[] }
}

/**
 * Checks a Dockerfile as BuildKit's `lint` does: it is planned (all stages, or what the target needs) and nothing is
 * executed. Of base images only the configuration is fetched. Throws what concerns other things than the Dockerfile.
 */
export async function checkDockerfile(machine: BuildMachine, options: BuildOptions): Promise<CheckReport> {
  refuseUnsupported(options)
  await using session = await openBuildSession(machine)
  await using context = await openContext(session, options.context, options.dockerfile, options)
  const { name, text } = context.dockerfile
  const findings: Finding[] = []
  const { pull = false, signal, progress } = options
  const images = createImageFinder(machine.describeImage, { pull, signal, progress })
  const planOf = (dockerfile: Dockerfile) =>
    planBuild(dockerfile, options, {
      machine: machine.platform,
      ignore: context.ignore,
      findImage: images.base,
      found: (finding) => findings.push(finding),
    })
  try {
    const plan = planOf(parseDockerfile(text, name))
    const { stages } = plan.scope.plan
    const targets = options.target ? [plan.target] : stages
    await planAll(
      plan.graph,
      targets.map(({ index }) => String(index)),
    )
    const error = plan.isStrict ? strictError(findings) : undefined
    return { findings, source: { name, text }, ...(error && { error: errorOf(error) }) }
  } catch (error) {
    signal?.throwIfAborted()
    if (!isBaleError(error)) throw error
    return { findings, source: { name, text }, error: errorOf(error) }
  }
}

function errorOf({ message, details }: BaleError): NonNullable<CheckReport['error']> {
  const { line } = details
  // The message shows the line itself below it; the report's reader has the source.
  return { message: message.split('\n')[0]!, lines: typeof line === 'number' ? [line] : [] }
}
