import { BaleError } from '#base'
import type { ContainerConfig } from '#spec'
import { parseDockerfile } from '../dockerfile/index.ts'
import type { BuildScope } from './instruction-type.ts'
import { parseCommand, planCommand } from './plan-command.ts'
import { type StageState, splitEnv } from './stage-state.ts'
import type { Command, StageCommand } from './table.ts'

const ALLOWED = 'CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR'

/**
 * `--change` of import and commit: each text is one or more Dockerfile instructions that change the config and nothing
 * else. ENTRYPOINT drops a command that no CMD beside it sets, as in a Dockerfile. Returns a new config. Throws
 * DOCKERFILE_INVALID, or INVALID_ARGUMENT for an instruction that makes a layer.
 */
export function applyChanges(config: ContainerConfig, changes: readonly string[]): ContainerConfig {
  let state: StageState = {
    platform: { os: 'linux', architecture: '' },
    config,
    author: undefined,
    variables: new Map((config.Env ?? []).map(splitEnv)),
    declared: new Map(),
    base: undefined,
    history: [],
    commandIsSet: false,
    workdirIsSet: false,
  }
  for (const change of changes) {
    for (const instruction of parseDockerfile(change, 'change').instructions) {
      state = planCommand(allowed(parseCommand(instruction)), state, NOTHING_GIVEN).state
    }
  }
  const { Cmd, Entrypoint } = state.config
  // Without anything else to run, the old command stays (docker: ENTRYPOINT [] alone does not drop it).
  if (config.Cmd && !Cmd?.length && !Entrypoint?.length) return { ...state.config, Cmd: [...config.Cmd] }
  return structuredClone(state.config)
}

const NOTHING_GIVEN: BuildScope = { given: new Map(), globals: new Map(), network: 'none', allowed: new Set() }

function allowed(command: Command): StageCommand {
  if (command.kind !== 'FROM' && ALLOWED.split(' ').includes(command.kind)) return command
  throw new BaleError('INVALID_ARGUMENT', `${command.kind} is not a valid change command`, {
    hint: `a change is one of ${ALLOWED}`,
  })
}
