import { formatPlatform, type Platform } from '#spec'
import { explainAt } from '../dockerfile/index.ts'
import { createExpander } from '../instructions/index.ts'
import type { StagePlan } from './stages.ts'

/** Proxy settings may be given with --build-arg without an ARG; they reach RUN, but neither history nor cache key. */
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY']
export const PROXY_ARGUMENTS: ReadonlySet<string> = new Set([...PROXIES, ...PROXIES.map((name) => name.toLowerCase())])

/** Taken by the builder itself, never "unused". */
const BUILT_IN = /^(?:BUILDKIT_|SOURCE_DATE_EPOCH$)/

/**
 * TARGETPLATFORM and its relatives, and the name of the stage that is built; a stage sees them after `ARG TARGETPLATFORM`.
 * Source: BuildKit, dockerfile2llb/platform.go.
 */
export function predefinedArguments(target: Platform, build: Platform, stage: string | undefined): Map<string, string> {
  const of = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, platform['os.version'] ?? ''],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ]
  return new Map([...of('BUILD', build), ...of('TARGET', target), ['TARGETSTAGE', stage ?? 'default']])
}

/** Values of the arguments before the first FROM, for FROM lines and for stages that declare them again. */
export function evaluateGlobals(
  plan: StagePlan,
  buildArguments: ReadonlyMap<string, string>,
  predefined: ReadonlyMap<string, string>,
): Map<string, string> {
  const values = new Map(predefined)
  for (const name of predefined.keys()) {
    const given = buildArguments.get(name)
    if (given !== undefined) values.set(name, given)
  }
  for (const { arguments: declared, instruction } of plan.globals) {
    for (const { name, value } of declared) {
      const given = buildArguments.get(name)
      try {
        if (given !== undefined) values.set(name, given)
        else if (value !== undefined) values.set(name, createExpander(instruction, values).text(value))
      } catch (error) {
        throw explainAt(instruction)(error)
      }
    }
  }
  return values
}

/** The names given with --build-arg that no ARG declares. */
export function unusedArguments(plan: StagePlan, buildArguments: ReadonlyMap<string, string>): string[] {
  const declared = new Set<string>()
  const commands = [...plan.globals, ...plan.stages.flatMap((stage) => stage.commands)]
  for (const command of commands) {
    if (command.kind === 'ARG') for (const { name } of command.arguments) declared.add(name)
  }
  return [...buildArguments.keys()].filter(
    (name) => !declared.has(name) && !PROXY_ARGUMENTS.has(name) && !BUILT_IN.test(name),
  )
}
