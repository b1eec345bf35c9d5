import { goQuoted } from '../instructions/index.ts'

const RULE_PAGES = 'https://docs.docker.com/go/dockerfile/rule/'

/**
 * The build checks of BuildKit. Names, descriptions, addresses and messages are BuildKit's: tools read them. Source:
 * moby/buildkit, frontend/dockerfile/linter/ruleset.go.
 */
export const RULES = {
  StageNameCasing: {
    description: 'Stage names should be lowercase',
    url: `${RULE_PAGES}stage-name-casing/`,
    detail: (stage: string) => `Stage name '${stage}' should be lowercase`,
  },
  FromAsCasing: {
    description: "The 'as' keyword should match the case of the 'from' keyword",
    url: `${RULE_PAGES}from-as-casing/`,
    detail: (from: string, as: string) => `'${as}' and '${from}' keywords' casing do not match`,
  },
  NoEmptyContinuation: {
    description: 'Empty continuation lines will become errors in a future release',
    url: `${RULE_PAGES}no-empty-continuation/`,
    detail: () => 'Empty continuation line',
  },
  ConsistentInstructionCasing: {
    description: 'All commands within the Dockerfile should use the same casing (either upper or lower)',
    url: `${RULE_PAGES}consistent-instruction-casing/`,
    detail: (command: string, casing: string) =>
      `Command '${command}' should match the case of the command majority (${casing})`,
  },
  DuplicateStageName: {
    description: 'Stage names should be unique',
    url: `${RULE_PAGES}duplicate-stage-name/`,
    detail: (stage: string) => `Duplicate stage name ${goQuoted(stage)}, stage names should be unique`,
  },
  ReservedStageName: {
    description: 'Reserved words should not be used as stage names',
    url: `${RULE_PAGES}reserved-stage-name/`,
    detail: (stage: string) => `Stage name should not use the same name as reserved stage ${goQuoted(stage)}`,
  },
  JSONArgsRecommended: {
    description: 'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
    url: `${RULE_PAGES}json-args-recommended/`,
    detail: (instruction: string) =>
      `JSON arguments recommended for ${instruction} to prevent unintended behavior related to OS signals`,
  },
  MaintainerDeprecated: {
    description: 'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
    url: `${RULE_PAGES}maintainer-deprecated/`,
    detail: () => 'Maintainer instruction is deprecated in favor of using label',
  },
  UndefinedArgInFrom: {
    description: 'FROM command must use declared ARGs',
    url: `${RULE_PAGES}undefined-arg-in-from/`,
    detail: (name: string, meant: string | undefined) =>
      `FROM argument '${name}' is not declared${meant === undefined ? '' : ` (did you mean ${meant}?)`}`,
  },
  WorkdirRelativePath: {
    description:
      'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
    url: `${RULE_PAGES}workdir-relative-path/`,
    detail: (directory: string) =>
      `Relative workdir ${goQuoted(directory)} can have unexpected results if the base image changes`,
  },
  UndefinedVar: {
    description: 'Variables should be defined before their use',
    url: `${RULE_PAGES}undefined-var/`,
    detail: (name: string, meant: string | undefined) =>
      `Usage of undefined variable '$${name}'${meant === undefined ? '' : ` (did you mean $${meant}?)`}`,
  },
  MultipleInstructionsDisallowed: {
    description: 'Multiple instructions of the same type should not be used in the same stage',
    url: `${RULE_PAGES}multiple-instructions-disallowed/`,
    detail: (instruction: string) =>
      `Multiple ${instruction} instructions should not be used in the same stage because only the last one will be used`,
  },
  LegacyKeyValueFormat: {
    description: 'Legacy key/value format with whitespace separator should not be used',
    url: `${RULE_PAGES}legacy-key-value-format/`,
    detail: (instruction: string) =>
      `"${instruction} key=value" should be used instead of legacy "${instruction} key value" format`,
  },
  InvalidBaseImagePlatform: {
    description: 'Base image platform does not match expected target platform',
    url: undefined,
    detail: (image: string, expected: string, actual: string) =>
      `Base image ${image} was pulled with platform ${goQuoted(actual)}, expected ${goQuoted(expected)} for current build`,
  },
  RedundantTargetPlatform: {
    description: 'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
    url: `${RULE_PAGES}redundant-target-platform/`,
    detail: (variable: string) =>
      `Setting platform to predefined ${variable} in FROM is redundant as this is the default behavior`,
  },
  SecretsUsedInArgOrEnv: {
    description: 'Sensitive data should not be used in the ARG or ENV commands',
    url: `${RULE_PAGES}secrets-used-in-arg-or-env/`,
    detail: (instruction: string, name: string) =>
      `Do not use ARG or ENV instructions for sensitive data (${instruction} ${goQuoted(name)})`,
  },
  InvalidDefaultArgInFrom: {
    description: 'Default value for global ARG results in an empty or invalid base image name',
    url: `${RULE_PAGES}invalid-default-arg-in-from/`,
    detail: (image: string) => `Default value for ARG ${image} results in empty or invalid base image name`,
  },
  FromPlatformFlagConstDisallowed: {
    description: 'FROM --platform flag should not use a constant value',
    url: `${RULE_PAGES}from-platform-flag-const-disallowed/`,
    detail: (platform: string) => `FROM --platform flag should not use constant value ${goQuoted(platform)}`,
  },
  CopyIgnoredFile: {
    description: 'Attempting to Copy file that is excluded by .dockerignore',
    url: `${RULE_PAGES}copy-ignored-file/`,
    detail: (act: 'Copy' | 'Add', file: string) =>
      `Attempting to ${act} file ${goQuoted(file)} that is excluded by .dockerignore`,
  },
  InvalidDefinitionDescription: {
    description:
      'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.',
    url: `${RULE_PAGES}invalid-definition-description/`,
    detail: (instruction: string, name: string) =>
      `Comment for ${instruction} should follow the format: \`# ${name} <description>\``,
    experimental: true,
  },
  ExposeProtoCasing: {
    description: 'Protocol in EXPOSE instruction should be lowercase',
    url: `${RULE_PAGES}expose-proto-casing/`,
    detail: (port: string) => `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
  },
  ExposeInvalidFormat: {
    description:
      'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
    url: `${RULE_PAGES}expose-invalid-format/`,
    detail: (port: string) =>
      `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
  },
} satisfies Record<string, { description: string; url: string | undefined; experimental?: true; detail: Detail }>

// biome-ignore lint/suspicious/noExplicitAny: each rule has its own arguments
type Detail = (...facts: any[]) => string

export type RuleName = keyof typeof RULES

/** The facts that the message of a rule needs. */
export type RuleFacts<R extends RuleName> = Parameters<(typeof RULES)[R]['detail']>
