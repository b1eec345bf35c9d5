// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfile words
/** The build checks, rule by rule, with the cases of BuildKit's own tests (frontend/dockerfile/dockerfile_check_test.go). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ImageConfig } from '#spec'
import type { Finding } from './checks/index.ts'
import { parseIgnoreFile } from './context/pattern-set.ts'
import { parseDockerfile } from './dockerfile/index.ts'
import { planAll, planBuild, strictError } from './plan-build.ts'

const machine = { os: 'linux', architecture: 'amd64' }

interface Given {
  ignore?: string
  args?: Record<string, string>
  config?: ImageConfig['config']
  /** Of the base image, as it comes. */
  architecture?: string
  target?: string
}

async function check(text: string, { ignore = '', args = {}, config = {}, architecture, target }: Given = {}) {
  const findings: Finding[] = []
  const plan = planBuild(
    parseDockerfile(text),
    { target, buildArguments: new Map(Object.entries(args)) },
    {
      machine,
      ignore: parseIgnoreFile(ignore),
      found: (finding) => findings.push(finding),
      async findImage({ reference, platform }) {
        const found = { ...platform, ...(architecture && { architecture }) }
        const image: ImageConfig = { ...found, config, rootfs: { type: 'layers', diff_ids: [] } }
        return { config: image, platform: found, reference, shown: reference }
      },
    },
  )
  const stages = target === undefined ? plan.scope.plan.stages : [plan.target]
  await planAll(
    plan.graph,
    stages.map(({ index }) => String(index)),
  )
  return { findings, isStrict: plan.isStrict }
}

const shown = ({ rule, detail, lines }: Finding) => `${lines[0]} ${rule}: ${detail}`

/** Dockerfile, what is found in it, and what it is given. Without findings: a case that looks like one, and is none. */
const table: [string, string[], Given?][] = [
  ['FROM scratch AS BadStageName', ["1 StageNameCasing: Stage name 'BadStageName' should be lowercase"]],
  ['FROM scratch AS good-name_2', []],

  ['FROM scratch as base2', ["1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match"]],
  ['from scratch AS base', ["1 FromAsCasing: 'AS' and 'from' keywords' casing do not match"]],
  ['from scratch as base', []],

  ['FROM scratch\nCOPY Dockerfile \\\n\n.\nCOPY Dockerfile \\\n.', ['4 NoEmptyContinuation: Empty continuation line']],
  ['FROM scratch\nCOPY Dockerfile \\\n# comment\n.', []],

  [
    'From scratch as base\nFROM scratch AS base2',
    ["1 ConsistentInstructionCasing: Command 'From' should match the case of the command majority (uppercase)"],
  ],
  [
    'from scratch\nCOPY Dockerfile /foo\ncopy Dockerfile /bar',
    ["2 ConsistentInstructionCasing: Command 'COPY' should match the case of the command majority (lowercase)"],
  ],
  [
    'FROM scratch\nRUN x\nRUN y\nenv a=b',
    ["4 ConsistentInstructionCasing: Command 'env' should match the case of the command majority (uppercase)"],
  ],
  ["FROM alpine\nRUN <<'EOT'\nenv\nEOT", []],

  [
    'FROM scratch AS b\nFROM scratch AS b',
    ['2 DuplicateStageName: Duplicate stage name "b", stage names should be unique'],
  ],
  ['FROM scratch AS b1\nFROM scratch AS b2', []],

  [
    'FROM scratch AS scratch\nFROM scratch AS context',
    [
      '1 ReservedStageName: Stage name should not use the same name as reserved stage "scratch"',
      '2 ReservedStageName: Stage name should not use the same name as reserved stage "context"',
    ],
  ],
  ['FROM scratch\nFROM scratch AS a', []],

  ['FROM scratch\nCMD mycommand', [recommended(2, 'CMD')]],
  ['from scratch\nentrypoint mycommand', [recommended(2, 'entrypoint')]],
  ['FROM scratch\nSHELL ["/usr/bin/customshell"]\nCMD mycommand', []],
  ['FROM scratch AS base\nSHELL ["/usr/bin/customshell"]\nFROM base\nENTRYPOINT mycommand', []],
  ['FROM a\nCMD x', [], { config: { Shell: ['/bin/x'] } }],
  ['FROM scratch\n# check=skip=JSONArgsRecommended\nCMD mycommand', []],

  [
    'FROM scratch\nMAINTAINER me@example.org',
    ['2 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label'],
  ],
  ['FROM scratch\nLABEL org.opencontainers.image.authors="me@example.org"', []],
  ['FROM scratch\n# check=skip=MaintainerDeprecated\nMAINTAINER me@example.org', []],

  ['ARG base=scratch\nFROM $base', []],
  ['FROM --platform=$BUILDPLATFORM scratch', []],
  ['ARG DEBUG\nFROM scra${DEBUG:-tch}', []],
  [
    'ARG tag=latest\nFROM busybox:${tags}${version}',
    [
      '2 InvalidDefaultArgInFrom: Default value for ARG busybox:${tags}${version} results in empty or invalid base image name',
      "2 UndefinedArgInFrom: FROM argument 'tags' is not declared (did you mean tag?)",
      "2 UndefinedArgInFrom: FROM argument 'version' is not declared",
    ],
    { args: {} },
  ],
  [
    'FROM --platform=$BULIDPLATFORM scratch',
    ["1 UndefinedArgInFrom: FROM argument 'BULIDPLATFORM' is not declared (did you mean BUILDPLATFORM?)"],
  ],

  ['FROM scratch\nWORKDIR app/', [relative(2, 'app/')]],
  ['FROM scratch AS a\nWORKDIR app/\nFROM a AS b\nWORKDIR subdir/', [relative(2, 'app/')]],
  ['FROM scratch\nWORKDIR /app\nWORKDIR sub', []],
  ['FROM a\nWORKDIR sub', [relative(2, 'sub')], { config: { WorkingDir: '/base' } }],

  [
    'FROM alpine AS base\nCOPY $foo .\nARG foo=bar\nRUN echo $foo',
    ["2 UndefinedVar: Usage of undefined variable '$foo'"],
  ],
  [
    'FROM alpine\nARG DIR_BINARIES=binaries/\nENV DIR_ASSETS=assets/\nCOPY $DIR_ASSET .\nCOPY $DIR_BINARYS .',
    [
      "4 UndefinedVar: Usage of undefined variable '$DIR_ASSET' (did you mean $DIR_ASSETS?)",
      "5 UndefinedVar: Usage of undefined variable '$DIR_BINARYS' (did you mean $DIR_BINARIES?)",
    ],
  ],
  ['FROM alpine\nENV PATH=$PAHT:/tmp', ["2 UndefinedVar: Usage of undefined variable '$PAHT' (did you mean $PATH?)"]],
  ['FROM alpine\nARG foo\nCOPY Dockerfile${foo} .', []],
  ['FROM alpine\nARG foo bar=$foo\nRUN echo $unknown', []],
  ['FROM alpine\nCOPY <<EOF /x\n$y\nEOF', ["2 UndefinedVar: Usage of undefined variable '$y'"]],
  ['FROM scratch\nEXPOSE $nothing', []],

  [
    'FROM scratch\nENTRYPOINT ["/myapp"]\nENTRYPOINT ["/myotherapp"]\nCMD ["a"]\nCMD ["b"]\nHEALTHCHECK CMD x\nHEALTHCHECK NONE',
    [multiple(2, 'ENTRYPOINT'), multiple(4, 'CMD'), multiple(6, 'HEALTHCHECK')],
  ],
  ['FROM scratch AS a\nCMD ["x"]\nFROM a\nCMD ["y"]', []],

  [
    'FROM scratch\nENV testkey value\nLABEL key value',
    [
      '2 LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format',
      '3 LegacyKeyValueFormat: "LABEL key=value" should be used instead of legacy "LABEL key value" format',
    ],
  ],
  ['FROM scratch\nENV a=b c="d e"\nLABEL x=y', []],

  [
    'FROM --platform=linux/amd64 busybox AS amd64',
    [
      '1 InvalidBaseImagePlatform: Base image busybox was pulled with platform "linux/arm64", expected "linux/amd64" for current build',
    ],
    { architecture: 'arm64' },
  ],
  ['FROM busybox', []],

  [
    'FROM --platform=$TARGETPLATFORM scratch',
    [
      '1 RedundantTargetPlatform: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
    ],
  ],
  ['ARG MYPLATFORM=linux/amd64\nFROM --platform=$MYPLATFORM scratch', []],

  [
    'FROM scratch\nARG SECRET_PASSPHRASE\nENV SUPER_Secret=foo\nENV password=bar secret=baz\nARG super_duper_secret_token=foo auth=bar\nENV apikey=bar sunflower=foo\nENV git_key=',
    [
      secret(2, 'ARG', 'SECRET_PASSPHRASE'),
      secret(3, 'ENV', 'SUPER_Secret'),
      secret(4, 'ENV', 'password'),
      secret(4, 'ENV', 'secret'),
      secret(5, 'ARG', 'super_duper_secret_token'),
      secret(5, 'ARG', 'auth'),
      secret(6, 'ENV', 'apikey'),
      secret(7, 'ENV', 'git_key'),
    ],
  ],
  [
    'FROM scratch\nENV PUBLIC_KEY=\nARG public_token\nARG SECRET_PASSPHRASE_FILE\nENV keyboard=1 AUTH_MODULE_VERSION=1',
    [],
  ],
  ['FROM scratch\n# check=skip=SecretsUsedInArgOrEnv // allowed\nENV password=bar', []],
  ['FROM scratch\n# check=skip=all // of this one\nARG password\nARG token', [secret(4, 'ARG', 'token')]],

  [
    'ARG VERSION\nFROM busybox:$VERSION',
    ['2 InvalidDefaultArgInFrom: Default value for ARG busybox:$VERSION results in empty or invalid base image name'],
    { args: { VERSION: '1' } },
  ],
  ['ARG VERSION=1\nFROM busybox:$VERSION', []],
  ['ARG BUSYBOX_VARIANT\nFROM busybox:stable${BUSYBOX_VARIANT}', []],

  [
    'FROM --platform=linux/amd64 scratch',
    ['1 FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value "linux/amd64"'],
  ],
  ['FROM --platform=linux/amd64 scratch AS my_amd64_stage', []],
  ['FROM --platform=linux/amd64 scratch AS linux', []],

  [
    'FROM scratch\nCOPY Dockerfile .\nADD Dockerfile /windy',
    [ignored(2, 'Copy', 'Dockerfile'), ignored(3, 'Add', 'Dockerfile')],
    { ignore: '\nDockerfile\n' },
  ],
  ['FROM scratch AS base\nCOPY --from=base2 /foobar /\nCOPY other /foobar', [], { ignore: 'foobar' }],
  ['FROM scratch\nCOPY ./Dockerfile .\nCOPY . .', [], { ignore: '**\n!Dockerfile' }],
  ['FROM scratch\nCOPY . .', [], { ignore: '.*' }],
  ['FROM scratch\nCOPY . .', [ignored(2, 'Copy', '.')], { ignore: '*' }],

  [
    '# check=experimental=InvalidDefinitionDescription\n# bar this is the bar\nARG foo=bar\n# BasE this is the BasE image\nFROM scratch AS base\n# bad\nARG version=latest\n# bad\nARG foo=baz bar=qux baz=quux',
    [
      described(3, 'ARG', 'foo'),
      described(5, 'FROM', 'base'),
      described(7, 'ARG', 'version'),
      described(9, 'ARG', '<arg_key>'),
    ],
  ],
  [
    '# check=experimental=all\n# foo this is the foo\nARG foo=bar\n\n# base this is the base image\nFROM scratch AS base\n\n# comment\n#\nARG bit=bat\n# other\nCOPY Dockerfile .',
    [],
  ],
  ['# bad\nARG foo=bar\nFROM scratch', []],

  [
    'FROM scratch\nEXPOSE 80/TcP 8080/TCP 80/tcp',
    [
      "2 ExposeProtoCasing: Defined protocol '80/TcP' in EXPOSE instruction should be lowercase",
      "2 ExposeProtoCasing: Defined protocol '8080/TCP' in EXPOSE instruction should be lowercase",
    ],
  ],
  ['FROM scratch\nEXPOSE 127.0.0.1:80:80 5000:6000', [exposed(2, '127.0.0.1:80:80'), exposed(2, '5000:6000')]],
  ['FROM scratch\nEXPOSE 80 8000-8010/udp', []],
]

describe('rules', () => {
  for (const [text, expected, given] of table) {
    test(JSON.stringify(text), async () => {
      assert.deepEqual((await check(text, given)).findings.map(shown).toSorted(), expected.toSorted())
    })
  }
})

describe('options', () => {
  const casing = "2 FromAsCasing: 'as' and 'FROM' keywords' casing do not match"
  const options: [string, string | undefined, string[], boolean][] = [
    ['skip=all', undefined, [], false],
    ['skip=all;error=true', undefined, [], true],
    ['skip=ConsistentInstructionCasing,FromAsCasing;error=true', undefined, [], true],
    ['skip=ConsistentInstructionCasing;error=true', undefined, [casing], true],
    // The build argument takes the place of the directive.
    ['skip=all', 'skip=ConsistentInstructionCasing;error=true', [casing], true],
    ['error=true', 'skip=all', [], false],
  ]
  for (const [directive, argument, expected, isStrict] of options) {
    test(`# check=${directive}, argument ${argument}`, async () => {
      const args: Record<string, string> = argument === undefined ? {} : { BUILDKIT_DOCKERFILE_CHECK: argument }
      const found = await check(`#check=${directive}\nFROM scratch as base\ncopy Dockerfile .`, { args })
      assert.deepEqual(found.findings.map(shown), expected)
      assert.equal(found.isStrict, isStrict)
      const error = strictError(found.findings)
      if (expected.length > 0) assert.equal(error?.message, 'lint violation found for rules: FromAsCasing')
      else assert.equal(error, undefined)
    })
  }
  test('options that mean nothing are refused', async () => {
    for (const wrong of ['skip', 'what=1', 'error=maybe'])
      await assert.rejects(check(`# check=${wrong}\nFROM scratch`), /failed to parse check options: /, wrong)
  })
})

test('stages that the target does not need are checked by what stands in them only', async () => {
  const text = 'FROM scratch AS first\nCOPY $foo .\nFROM scratch AS second\nCOPY $bar .'
  const undefinedVar = (line: number, name: string) => `${line} UndefinedVar: Usage of undefined variable '$${name}'`
  const all = await check(text)
  assert.deepEqual(all.findings.map(shown), [undefinedVar(2, 'foo'), undefinedVar(4, 'bar')])
  const one = await check(text, { target: 'second' })
  assert.deepEqual(one.findings.map(shown), [undefinedVar(4, 'bar')])
})

test('a finding names all lines of its instruction', async () => {
  const { findings } = await check('FROM scratch\nENV a \\\n  b')
  assert.deepEqual(findings[0]?.lines, [2, 3])
  assert.equal(findings[0]?.url, 'https://docs.docker.com/go/dockerfile/rule/legacy-key-value-format/')
})

function recommended(line: number, instruction: string): string {
  return `${line} JSONArgsRecommended: JSON arguments recommended for ${instruction} to prevent unintended behavior related to OS signals`
}
function relative(line: number, directory: string): string {
  return `${line} WorkdirRelativePath: Relative workdir "${directory}" can have unexpected results if the base image changes`
}
function multiple(line: number, instruction: string): string {
  return `${line} MultipleInstructionsDisallowed: Multiple ${instruction} instructions should not be used in the same stage because only the last one will be used`
}
function secret(line: number, instruction: string, name: string): string {
  return `${line} SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (${instruction} "${name}")`
}
function ignored(line: number, act: string, file: string): string {
  return `${line} CopyIgnoredFile: Attempting to ${act} file "${file}" that is excluded by .dockerignore`
}
function described(line: number, instruction: string, name: string): string {
  return `${line} InvalidDefinitionDescription: Comment for ${instruction} should follow the format: \`# ${name} <description>\``
}
function exposed(line: number, port: string): string {
  return `${line} ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`
}
