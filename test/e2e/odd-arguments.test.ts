/**
 * No command line ends in an unexpected failure: every verb is given odd words, in this process, over a store of its own with one image,
 * one container, one volume and one network. `registry serve` is left out: it would serve. BALE_ODD_RUNS says how many command lines each verb gets.
 */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { flagNames } from '../../src/cli/flags/flag-set.ts'
import type { VerbOption } from '../../src/cli/flags/verb-option.ts'
import type { Verb } from '../../src/cli/verb/verb.ts'
import { VERBS } from '../../src/cli/verb-table.ts'
import { createEngine, type Engine, readConfig } from '../../src/engine/index.ts'
import { busyboxTar } from '../kit/busybox.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { runLineHere, runVerbHere } from '../kit/verb-runner.ts'
import { cannotRun } from './prepared.ts'

const RUNS = Number(process.env['BALE_ODD_RUNS'] ?? 8)
const LEFT_OUT = ['registry serve']

const ODD = [
  ...['', ' ', '-', '--', '.', '..', '/', '*', '[', '(?', '{{', '{{.X', '{{json .}}', '{{.ID.Name}}', 'table {{.ID}}'],
  ...['0', '-1', '1e999', 'NaN', '99999999999999999999', '1.5g', '.5s', '1h30m', '5d', 'true', 'maybe'],
  ...['__proto__', 'constructor', '__proto__=x', 'type=constructor', '{{.constructor}}', '[[:valueOf:]]'],
  ...[
    '=',
    '=x',
    'a=b',
    'name=[',
    'label=',
    'until=x',
    'until=1h',
    'before=x',
    'dangling=maybe',
    'type=bind',
    'type=tar,dest=-',
  ],
  ...[
    '"',
    ',',
    ':',
    '::',
    'a:b:c',
    '@',
    'UPPER',
    'x/../y',
    'sha256:',
    `sha256:${'0'.repeat(64)}`,
    `x@sha256:${'0'.repeat(64)}`,
  ],
  ...['\u{1F600}', 'a\u0301', '\n', '\x1b[31m', '\u2028', 'x'.repeat(300), 'x'.repeat(5000), 'a/'.repeat(3000)],
  ...['file', 'directory', 'missing/file', 'file/below', 'directory/new', '/dev/null', '/proc/self/none'],
  ...[
    'container:',
    'container:x',
    'host',
    'none',
    '80:80',
    '1-2:3',
    '[::1]:1:1',
    '127.0.0.1',
    '10.0.0.0/8',
    'linux/',
    'windows/amd64',
  ],
  ...[
    'KILL',
    '9',
    'SIGNOPE',
    'ctrl-p,ctrl-q',
    'ctrl-',
    'json',
    'CMD x',
    'ENV',
    'seccomp=missing',
    'id=x,src=missing',
    'NAME',
  ],
]

/** What is in the store; `run` does not get to know the image, so that nothing odd is started. */
const THERE = ['image', 'image:latest', 'made', 'made:/', 'made:/etc/passwd', 'made:/none/below', 'volume', 'network']

/** A command line of a verb: some of its flags, each with an odd value or none, between odd arguments. */
function commandLine(verb: Verb): fc.Arbitrary<string[]> {
  const { min = 0, max = min + 2 } = verb.arguments ?? {}
  const words = fc.constantFrom(...ODD, ...(verb.name === 'run' ? [] : THERE))
  const args = fc.array(words, { minLength: Math.max(0, min), maxLength: Math.min(max, min + 2) })
  const flag = (option: VerbOption) => {
    const { short, long, takesValue } = flagNames(option)
    const spellings = takesValue
      ? [words.map((word) => [`--${long}=${word}`]), words.map((word) => [short ? `-${short}` : `--${long}`, word])]
      : [fc.constant([`--${long}`]), fc.constant([`--${long}=false`])]
    return fc.oneof(...spellings)
  }
  const given = restrained(verb).map((word) => word.replace(/=.*/, ''))
  const known = verb.options.filter(
    ({ refused, flags }) => refused === undefined && !given.some((one) => new RegExp(`${one}\\b`).test(flags)),
  )
  const flags = known.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom(...known).chain(flag), { maxLength: 3 })
  return fc.tuple(flags, args).map(([some, rest]) => [...restrained(verb), ...some.flat(), ...rest])
}

/** No question to a registry that the words do not name, no list that goes on for ever. */
function restrained(verb: Verb): string[] {
  if (verb.name === 'run' || verb.name === 'create') return ['--pull=never']
  if (verb.name === 'events') return ['--until=0s']
  return verb.name === 'stats' ? ['--no-stream'] : []
}

const CODES = new Set([0, 1, 64, 125, 126, 127, 130])

/** Run by the verbs themselves, so that the store is as people make it. */
async function fill(engine: Engine, directory: string): Promise<void> {
  const lines = [
    ['import', busyboxTar(directory), 'image'],
    ['volume', 'create', 'volume'],
    ['network', 'create', 'network'],
    ['create', '--name', 'made', '-v', 'volume:/v', 'image', 'true'],
  ]
  for (const line of lines) {
    const { code, stderr } = await runLineHere(line, { engine })
    assert.equal(code, 0, stderr)
  }
}

test('odd words give a known exit code and a message, whatever the verb', {
  skip: cannotRun,
}, async () => {
  await using temporary = await temporaryDirectory('bale-odd')
  const before = process.cwd()
  process.chdir(temporary.path)
  mkdirSync('directory')
  writeFileSync('file', 'text\n')
  // No registry is asked: the proxy for all of them is a port where nobody listens.
  const proxies = { HTTPS_PROXY: 'http://127.0.0.1:1', HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: '' }
  const kept = Object.fromEntries(Object.keys(proxies).map((name) => [name, process.env[name]]))
  Object.assign(process.env, proxies, { DOCKER_CONFIG: `${temporary.path}/docker` })
  try {
    await using engine = createEngine({ config: readConfig({ root: `${temporary.path}/root` }) })
    await fill(engine, temporary.path)
    for (const entry of VERBS) {
      if (LEFT_OUT.includes(entry.names[0]) || entry.internal) continue
      const { verb } = await entry.load()
      await fc.assert(
        fc.asyncProperty(commandLine(verb), async (argv) => {
          const { code, stdout, stderr } = await runVerbHere(verb, argv, { engine })
          const seen = stdout + stderr
          assert.ok(CODES.has(code), `exit code ${code}: ${seen}`)
          assert.doesNotMatch(seen, /unexpected failure|internal error/i)
          const answers = verb.name.endsWith(' exists') && code === 1
          assert.ok(code === 0 || answers || seen !== '', 'a failure without a word')
        }),
        { numRuns: RUNS, endOnFailure: true },
      )
    }
  } finally {
    process.chdir(before)
    for (const [name, value] of Object.entries(kept)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
})
