import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { HelpWanted, parseArguments, UsageError } from './parse-arguments.ts'
import { defineVerb } from './verb.ts'

const verb = defineVerb({
  name: 'try',
  summary: 'Try',
  arguments: { min: 1, max: 2 },
  options: [
    { flags: '-l, --label <KEY=VALUE>', description: 'Label', repeat: true, default: ['x=y'] },
    { flags: '--no-cache', description: 'No cache' },
    { flags: '--no-cache-filter <STAGE>', description: 'Not these', repeat: true },
    { flags: '--sig-proxy', description: 'Signals', default: true },
    { flags: '--when <WHEN>', description: 'When', choices: ['always', 'never'] },
    { flags: '--driver <NAME>', description: 'Driver', default: 'bridge' },
    { flags: '--entrypoint <COMMAND>', description: 'Command', emptyCounts: true },
    { flags: '--squash', description: 'One layer', refused: 'it is not there' },
    { flags: '--sbom <MODE>', description: 'SBOM', refused: 'it is not there', harmless: /^(false|)$/ },
  ],
  examples: [],
  run: async () => 0,
})
const parse = (...words: string[]) => parseArguments(verb, words)

test('the flags of a verb give its options their types', () => {
  const { options } = parse('a')
  const typed: {
    label: string[]
    noCache?: boolean
    noCacheFilter?: string[]
    sigProxy: boolean
    when?: 'always' | 'never'
    driver: string
    entrypoint?: string
  } = options
  assert.deepEqual(typed, { driver: 'bridge', label: ['x=y'], sigProxy: true })
  // @ts-expect-error: a refused flag gives no option
  assert.equal(options.sbom, undefined)
  // @ts-expect-error: no flag of that name
  assert.equal(options.cache, undefined)
})

test('a list keeps all values, without its default; of others the last one counts', () => {
  assert.deepEqual(parse('a').options, { driver: 'bridge', label: ['x=y'], sigProxy: true })
  assert.deepEqual(parse('-l', 'a=1', 'a', '-l=b=2').options.label, ['a=1', 'b=2'])
  assert.deepEqual(parse('--when=never', 'a', '--when', 'always').options.when, 'always')
})

test('an empty value says nothing, also after another one; in lists and where emptiness means something it counts', () => {
  const { options } = parse('--driver', '', '--when=never', '--when=', '-l', '', '--entrypoint=', '--sbom=', 'a')
  assert.equal(options.driver, 'bridge')
  assert.equal(options.when, undefined)
  assert.deepEqual(options.label, [''])
  assert.equal(options.entrypoint, '')
})

test('a flag sets the member of its own name', () => {
  const { options } = parse('--no-cache', '--no-cache-filter', 'a', '--sig-proxy=false', 'a')
  assert.deepEqual(options, { driver: 'bridge', label: ['x=y'], noCache: true, noCacheFilter: ['a'], sigProxy: false })
})

test('a refused flag may be turned off', () => {
  for (const words of ['--squash=false', '--sbom=false', '--sbom=']) assert.deepEqual(parse(words, 'a').args, ['a'])
  for (const words of ['--squash', '--squash=true', '--sbom=true']) {
    assert.throws(
      () => parse(words, 'a'),
      (error) => isBaleError(error, 'UNSUPPORTED'),
      words,
    )
  }
})

test('help comes after mistakes among the flags and before those among the arguments', () => {
  for (const words of [['-h'], ['--help'], ['a', 'b', 'c', '--help'], ['--no-cache', '-h']]) {
    assert.throws(() => parse(...words), HelpWanted)
  }
  assert.throws(() => parse('--help', '--nosuch'), UsageError)
  assert.deepEqual(parse('--help=false', 'a').args, ['a'])
  assert.deepEqual(parse('--', '--help').args, ['--help'])
})

test('wrong words are 125, a wrong number of arguments is 1', () => {
  const failing = (words: string[], exitCode: number, message: RegExp) =>
    assert.throws(
      () => parse(...words),
      (error) => error instanceof UsageError && error.exitCode === exitCode && message.test(error.message),
    )
  failing(['--no-cash', 'a'], 125, /^unknown flag: --no-cash \(did you mean --no-cache\?\)$/)
  failing(['--zzzzzzz', 'a'], 125, /^unknown flag: --zzzzzzz$/)
  failing(['--when=maybe', 'a'], 125, /^invalid argument "maybe" for "--when" flag: must be one of always, never$/)
  failing([], 1, /^bale: 'bale try' requires at least 1 and at most 2 arguments$/)
  failing(['a', 'b', 'c'], 1, /at most 2 arguments/)
})
