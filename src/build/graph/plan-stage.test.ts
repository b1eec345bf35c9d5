// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfile words
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ImageConfig } from '#spec'
import { parseDockerfile } from '../dockerfile/index.ts'
import { fillCreated, type StageState, stateOfImage, stateOfStage } from '../instructions/index.ts'
import { evaluateGlobals, predefinedArguments, unusedArguments } from './build-arguments.ts'
import { planStage } from './plan-stage.ts'
import { planStages, targetStage } from './stages.ts'

const amd64 = { os: 'linux', architecture: 'amd64' }

/** The state behind the last stage of a Dockerfile that has metadata instructions only. */
function evaluate(
  text: string,
  options: { given?: Record<string, string>; base?: Partial<ImageConfig> } = {},
): StageState {
  const plan = planStages(parseDockerfile(text))
  const given = new Map(Object.entries(options.given ?? {}))
  const globals = evaluateGlobals(plan, given, predefinedArguments(amd64, amd64, undefined))
  const base: ImageConfig = { ...amd64, rootfs: { type: 'layers', diff_ids: [] }, ...options.base }
  const scope = { plan, given, globals, platform: amd64, network: 'none', allowed: new Set<string>() } as const
  const found = { name: 'a', state: stateOfImage(base, amd64), node: 'a', nodes: [] }
  return planStage(plan.stages.at(-1)!, found, { ...scope, contexts: new Map() }).state
}

const createdBy = (state: StageState) => state.history.map((entry) => entry.created_by)

describe('values', () => {
  test('one instruction sees the values from before it', () => {
    const state = evaluate('FROM a\nENV x=1\nENV x=2 y=$x\nENV z=$x')
    assert.deepEqual(state.config.Env?.slice(1), ['x=2', 'y=1', 'z=2'])
  })
  test('ENV after ARG of one name wins, and ARG after ENV wins too', () => {
    assert.equal(evaluate('FROM a\nARG v=arg\nENV v=env\nLABEL l=$v').config.Labels?.['l'], 'env')
    assert.equal(evaluate('FROM a\nENV v=env\nARG v=arg\nLABEL l=$v').config.Labels?.['l'], 'arg')
  })
  test('ARG: build argument, own default, value from before the first FROM, nothing', () => {
    const text =
      'ARG g=global\nARG h=$g-h\nFROM a\nARG g\nARG h\nARG d=own\nARG b=own\nARG n\nLABEL l="$g $h $d $b [$n]"'
    assert.equal(evaluate(text, { given: { b: 'built' } }).config.Labels?.['l'], 'global global-h own built []')
    assert.equal(evaluate(text, { given: { g: 'G' } }).config.Labels?.['l'], 'G G-h own own []')
  })
  test('an argument from before FROM is not there unless declared again', () => {
    assert.equal(evaluate('ARG g=1\nFROM a\nLABEL l="[$g]"').config.Labels?.['l'], '[]')
  })
  test('platform arguments are there once declared', () => {
    const state = evaluate(
      'FROM a\nARG TARGETPLATFORM TARGETARCH BUILDOS\nLABEL l=$TARGETPLATFORM:$TARGETARCH:$BUILDOS',
    )
    assert.equal(state.config.Labels?.['l'], 'linux/amd64:amd64:linux')
  })
  test('a stage made from a stage keeps its arguments', () => {
    const parent = evaluate('FROM a\nARG v=1')
    assert.equal(stateOfStage(parent).variables.get('v'), '1')
  })
  test('proxies given without ARG are neither variables nor history; declared, they are', () => {
    const given = { HTTP_PROXY: 'http://p' }
    const state = evaluate('FROM a\nARG x=1\nRUN x', { given })
    assert.ok(!JSON.stringify([[...state.variables], state.history]).includes('PROXY'))
    assert.equal(evaluate('FROM a\nARG HTTP_PROXY', { given }).variables.get('HTTP_PROXY'), 'http://p')
  })
  test('build arguments that nothing declares are told', () => {
    const plan = planStages(parseDockerfile('ARG a\nFROM x\nARG b'))
    const given = new Map(
      ['a', 'b', 'c', 'no_proxy', 'BUILDKIT_INLINE_CACHE', 'SOURCE_DATE_EPOCH'].map((name) => [name, '']),
    )
    assert.deepEqual(unusedArguments(plan, given), ['c'])
  })
})

describe('config', () => {
  test('PATH is put in when the base has none, and only then', () => {
    assert.deepEqual(evaluate('FROM a').config.Env, [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ])
    assert.deepEqual(evaluate('FROM a', { base: { config: { Env: ['PATH=/x'] } } }).config.Env, ['PATH=/x'])
  })
  test('CMD of the base is dropped by ENTRYPOINT, CMD of the same file is kept', () => {
    const base = { config: { Cmd: ['base'] } }
    assert.equal(evaluate('FROM a\nENTRYPOINT ["e"]', { base }).config.Cmd, undefined)
    assert.deepEqual(evaluate('FROM a\nCMD ["c"]\nENTRYPOINT ["e"]', { base }).config.Cmd, ['c'])
  })
  test('SHELL changes the shell form of what follows', () => {
    const { config } = evaluate('FROM a\nCMD a\nSHELL ["/bin/bash", "-ec"]\nENTRYPOINT b $c')
    assert.deepEqual(config.Entrypoint, ['/bin/bash', '-ec', 'b $c'])
  })
  test('EXPOSE expands ranges and lower-cases protocols', () => {
    assert.deepEqual(Object.keys(evaluate('FROM a\nENV p=80\nEXPOSE $p 5000-5002/UDP').config.ExposedPorts!).sort(), [
      '5000/udp',
      '5001/udp',
      '5002/udp',
      '80/tcp',
    ])
    for (const wrong of ['99999', '80-70', 'x', '80/icmp'])
      assert.throws(() => evaluate(`FROM a\nEXPOSE ${wrong}`), /Dockerfile:2:8: invalid/)
  })
  test('the legacy form of LABEL and ENV takes the rest of the line', () => {
    const { config } = evaluate('FROM a\nENV k  a "b" $PATHX c\nLABEL l x y')
    assert.equal(config.Env?.at(-1), 'k=a b  c')
    assert.equal(config.Labels?.['l'], 'x y')
  })
  test('the last HEALTHCHECK, USER and WORKDIR count; WORKDIR is relative to the one before', () => {
    const { config } = evaluate(
      'FROM a\nHEALTHCHECK CMD x\nHEALTHCHECK NONE\nUSER u\nUSER 1:2\nWORKDIR /a\nWORKDIR b/../c',
    )
    assert.deepEqual([config.Healthcheck, config.User, config.WorkingDir], [{ Test: ['NONE'] }, '1:2', '/a/c'])
  })
})

test('history texts are those of BuildKit', () => {
  const state = evaluate(
    'FROM a\nARG x\nARG y=1 z\nENV a=b c="d e"\nLABEL l=1\nCMD ["a", "b\\"c"]\nENTRYPOINT e $f\nEXPOSE 80 443\nVOLUME /v /w\nUSER u\n' +
      'STOPSIGNAL TERM\nSHELL ["sh", "-c"]\nMAINTAINER me you\nHEALTHCHECK --interval=1m30s --retries=3 CMD x y\nONBUILD RUN x',
  )
  assert.deepEqual(createdBy(state), [
    'ARG x',
    'ARG y=1 z',
    'ENV a=b c=d e',
    'LABEL l=1',
    'CMD ["a" "b\\"c"]',
    'ENTRYPOINT ["/bin/sh" "-c" "e $f"]',
    'EXPOSE [443/tcp 80/tcp]',
    'VOLUME [/v /w]',
    'USER u',
    'STOPSIGNAL TERM',
    'SHELL [sh -c]',
    'MAINTAINER me you',
    'HEALTHCHECK {Test:[CMD-SHELL x y] Interval:1m30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:3}',
  ])
  assert.equal(state.author, 'me you')
})

test('entries without a layer get the time of the first new layer, or of the layer before', () => {
  const times = (history: Parameters<typeof fillCreated>[0]) =>
    fillCreated(history, 'now').map((entry) => entry.created)
  assert.deepEqual(times([{ created: 'base' }, {}, {}, { created: 'l1' }, {}, { created: 'l2' }, {}]), [
    'base',
    'l1',
    'l1',
    'l1',
    'l1',
    'l2',
    'l2',
  ])
  assert.deepEqual(times([{ created: 'base' }, {}]), ['base', 'base'])
  assert.deepEqual(times([{}, {}]), ['now', 'now'])
})

test('a base whose history does not fit its layers gets one that does', () => {
  const diff_ids = ['sha256:1', 'sha256:2'] as ImageConfig['rootfs']['diff_ids']
  const historyOf = (history?: ImageConfig['history']) =>
    stateOfImage({ ...amd64, created: 't', history, rootfs: { type: 'layers', diff_ids } }, amd64).history
  assert.deepEqual(historyOf(), [{ created: 't' }, { created: 't' }])
  assert.deepEqual(historyOf([{ created_by: 'a' }, { created_by: 'b', empty_layer: true }]), [
    { created_by: 'a' },
    { created_by: 'b', empty_layer: true },
    { created: 't' },
  ])
  const many = historyOf([{ created_by: 'a' }, { created_by: 'b' }, { created_by: 'c' }])
  assert.deepEqual(
    many.map((entry) => entry.empty_layer ?? false),
    [false, false, true],
  )
})

describe('stages', () => {
  const plan = (text: string) => planStages(parseDockerfile(text))
  test('only ARG may stand before FROM', () => {
    assert.throws(() => plan('ARG a\nRUN x\nFROM y'), /Dockerfile:2:1: no build stage in current context/)
    assert.throws(() => plan('ARG a'), /has no FROM/)
  })
  test('--target takes a name in any case, not a number', () => {
    const two = plan('FROM a AS Build\nFROM b AS run')
    assert.equal(targetStage(two, 'BUILD').index, 0)
    assert.equal(targetStage(two, undefined).index, 1)
    assert.throws(() => targetStage(two, '1'), /target stage "1" could not be found/)
    assert.throws(
      () => targetStage(two, 'buidl'),
      (error: { hint?: string }) => error.hint === 'did you mean build?',
    )
  })
  test('mistakes in stages that nobody needs are found too', () => {
    assert.throws(() => plan('FROM a\nCOPY x\nFROM b'), /Dockerfile:2/)
  })
})

describe('what is wrong with a word is shown at that word', () => {
  const table: [string, RegExp][] = [
    ['ENV x=${y:?needed}', /Dockerfile:2:7: y: needed\n {2}2 \| ENV x=.*\n {4}\| {7}\^/],
    ['ENV a=1 \\\n  b="x${y:?needed}"', /Dockerfile:3:7: y: needed/],
    ["LABEL a='${y:?}' b=${y:?}", /Dockerfile:2:20: y: is not allowed to be unset/],
    ['WORKDIR /a/${y', /Dockerfile:2:12: syntax error: missing '}'/],
    ['ARG a=${x!y}', /Dockerfile:2:7: unsupported modifier \(!\)/],
    ['VOLUME ["/a", "/${y:?}"]', /Dockerfile:2:17: y/],
    ['EXPOSE 80 99999', /Dockerfile:2:11: invalid containerPort/],
    ['STOPSIGNAL NO', /Dockerfile:2:12: invalid signal: NO/],
    ['COPY a ${y:?} /x', /Dockerfile:2:8: y/],
    ['COPY https://a/b /x', /Dockerfile:2:6: source can't be a URL for COPY/],
    ['COPY --chmod=9 a /x', /Dockerfile:2:14: invalid chmod parameter/],
    ['RUN --mount=type=cache,target=${y:?} x', /Dockerfile:2:31: y/],
    ['RUN --mount=type=cache,tarket=/x x', /Dockerfile:2:13: unexpected key 'tarket'/],
    ['COPY <<E /x\n${y:?}\nE', /Dockerfile:2:1: y/],
  ]
  for (const [text, message] of table) test(text, () => assert.throws(() => evaluate(`FROM a\n${text}`), message))
})
