import { BaleError } from '#base'
import type { ContainerConfig } from '#spec'
import { applyMetadata, applyWorkdir } from './apply-metadata.ts'
import { parseCommand, parseDockerfile } from './dockerfile/index.ts'
import { type StageState, splitEnv } from './stage-state.ts'

const ALLOWED = 'CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR'

/**
 * `--change` of import and commit: each text is one or more Dockerfile instructions that change the config and nothing
 * else. ENTRYPOINT drops a command that no CMD beside it sets, as in a Dockerfile. Returns a new config. Throws DOCKERFILE_INVALID, or INVALID_ARGUMENT for an instruction that makes a layer.
 */
export function applyChanges(config: ContainerConfig, changes: readonly string[]): ContainerConfig {
  const state: StageState = {
    platform: { os: 'linux', architecture: '' },
    config: structuredClone(config),
    author: undefined,
    variables: new Map((config.Env ?? []).map(splitEnv)),
    declared: new Map(),
    base: undefined,
    history: [],
    diffIds: [],
    commandIsSet: false,
  }
  const nothing = new Map<string, string>()
  for (const change of changes) {
    for (const instruction of parseDockerfile(change, '--change').instructions) {
      const command = parseCommand(instruction)
      if (!ALLOWED.split(' ').includes(command.kind)) {
        throw new BaleError('INVALID_ARGUMENT', `${command.kind} is not a valid change command`, {
          hint: `a change is one of ${ALLOWED}`,
        })
      }
      if (command.kind === 'WORKDIR') applyWorkdir(state, command.text, instruction)
      else applyMetadata(state, command as Parameters<typeof applyMetadata>[1], { given: nothing, globals: nothing })
    }
  }
  const { Cmd, Entrypoint } = state.config
  // Without anything else to run, the old command stays (docker: ENTRYPOINT [] alone does not drop it).
  if (config.Cmd && !Cmd?.length && !Entrypoint?.length) return { ...state.config, Cmd: [...config.Cmd] }
  return state.config
}
