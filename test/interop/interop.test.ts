/**
 * Runs the commands of cases/*.txt on Debian's docker and on bale and compares what they answer. Needs root and docker.io.
 * INTEROP_ONLY=run,history takes the scenarios with these words in their names; INTEROP_SHOW=1 prints all answers.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { execute, type Outcome } from '../kit/bale.ts'
import { busyboxTar } from '../kit/busybox.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts'
import { type InteropCommand, parseCaseFile, type Scenario } from './case-file.ts'
import { DOCKER_CLIENT, startDockerd, type TestDockerd } from './dockerd.ts'
import { type NameSpace, ownNameSpace } from './name-space.ts'
import { normalise, normaliseMessages } from './normalise.ts'

type Tool = 'docker' | 'bale'

const cases = join(import.meta.dirname, 'cases')
const scenarios = readdirSync(cases)
  .filter((file) => file.endsWith('.txt'))
  .sort()
  .flatMap((file) => parseCaseFile(file, readFileSync(join(cases, file), 'utf8')))
const only = process.env['INTEROP_ONLY']?.split(',')
const missing = [
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...(existsSync('/usr/sbin/dockerd') && existsSync(DOCKER_CLIENT) ? [] : ["Debian's docker.io"]),
  ...(existsSync('/bin/busybox') ? [] : ["Debian's busybox-static"]),
]
const skip = missing.length > 0 ? `needs ${missing.join(' and ')}` : false

let temporary: TemporaryDirectory
let dockerd: TestDockerd
let places: Record<Tool, NameSpace>
let busybox: string

before(async () => {
  if (skip) return
  temporary = await temporaryDirectory('bale-interop')
  busybox = busyboxTar(temporary.path)
  places = { docker: await ownNameSpace(), bale: await ownNameSpace() }
  dockerd = await startDockerd(join(temporary.path, 'dockerd'), places.docker.enter)
  for (const tool of ['docker', 'bale'] as const) {
    // The image that all scenarios start from.
    const outcome = await runIn(tool, temporary.path, `T import -c 'CMD ["sh"]' "$BUSYBOX" busybox:1`)
    assert.equal(outcome.code, 0, `${tool} import: ${outcome.stderr}`)
  }
})

after(async () => {
  if (skip) return
  await runIn('bale', temporary.path, 'ids=$(T ps -aq); [ -z "$ids" ] || T rm -f -v $ids')
  await dockerd?.[Symbol.asyncDispose]()
  for (const place of Object.values(places ?? {})) await place[Symbol.asyncDispose]()
  await temporary?.[Symbol.asyncDispose]()
})

test('there are at least 150 commands', () => {
  const commands = scenarios.flatMap((scenario) => scenario.commands).filter((command) => command.compare !== 'setup')
  assert.ok(commands.length >= 150, `only ${commands.length} commands`)
})

test('every meant difference is explained in docs/compat-docker.md', () => {
  const text = readFileSync(resolve(import.meta.dirname, '../../docs/compat-docker.md'), 'utf8')
  const reasons = new Set(scenarios.flatMap((one) => one.commands.flatMap((command) => command.differs ?? [])))
  assert.deepEqual(
    [...reasons].filter((reason) => !text.includes(reason)),
    [],
  )
})

for (const scenario of scenarios.filter((one) => !only || only.some((part) => one.name.includes(part)))) {
  test(`${scenario.file}: ${scenario.name}`, { skip, timeout: 600_000 }, () => compareScenario(scenario))
}

async function compareScenario(scenario: Scenario): Promise<void> {
  const directories = { docker: '', bale: '' }
  for (const tool of ['docker', 'bale'] as const) {
    directories[tool] = join(temporary.path, `${tool}-${scenario.name.replace(/\W+/g, '-')}`)
    mkdirSync(directories[tool])
  }
  const problems: string[] = []
  for (const command of scenario.commands) {
    const [docker, bale] = await Promise.all([
      runIn('docker', directories.docker, command.command),
      runIn('bale', directories.bale, command.command),
    ])
    if (process.env['INTEROP_SHOW']) show(command, { docker, bale })
    problems.push(...differences(scenario, command, directories, docker, bale))
  }
  if (problems.length > 0) assert.fail(`${problems.length} differences\n${problems.join('\n')}`)
}

/** What both tools answered, for writing cases: commands that fail on both sides compare nothing. */
function show(command: InteropCommand, outcomes: Record<Tool, Outcome>): void {
  console.log(`$ ${command.command}`)
  for (const [tool, outcome] of Object.entries(outcomes)) {
    const text = `${outcome.stdout}${outcome.stderr}`.trim().replaceAll('\n', '\n    ').slice(0, 600)
    console.log(`  ${tool} ${outcome.code}: ${text}`)
  }
}

function differences(
  scenario: Scenario,
  command: InteropCommand,
  directories: { docker: string; bale: string },
  docker: Outcome,
  bale: Outcome,
): string[] {
  const where = `${scenario.file}:${command.line}: ${command.command}`
  if (command.compare === 'setup') {
    return [docker, bale].flatMap((outcome, index) =>
      outcome.code === 0 ? [] : [`${where}\n  ${index ? 'bale' : 'docker'} failed: ${outcome.stderr}${outcome.stdout}`],
    )
  }
  const found: string[] = []
  const compare = (what: string, left: string, right: string) => {
    if (left !== right) found.push(`${where}\n  ${what} docker: ${left}\n  ${what} bale:   ${right}`)
  }
  if (docker.code !== bale.code) compare('code', `${docker.code} ${docker.stderr}`, `${bale.code} ${bale.stderr}`)
  const text = (outcome: Outcome, stream: 'stdout' | 'stderr', directory: string) =>
    normalise(outcome[stream], { directory })
  if (command.compare !== 'code' && found.length === 0) {
    compare('stdout', text(docker, 'stdout', directories.docker), text(bale, 'stdout', directories.bale))
  }
  if (command.compare === 'stderr' && found.length === 0) {
    const messages = (outcome: Outcome, directory: string) => normaliseMessages(text(outcome, 'stderr', directory))
    compare('stderr', messages(docker, directories.docker), messages(bale, directories.bale))
  }
  if (command.differs === undefined) return found
  // A meant difference that has gone is news as well: the list in the documentation would be wrong.
  return found.length > 0 ? [] : [`${where}\n  is listed as a meant difference, but docker and bale agree`]
}

function runIn(tool: Tool, directory: string, command: string): Promise<Outcome> {
  const program = tool === 'docker' ? DOCKER_CLIENT : resolve(import.meta.dirname, '../../bin/bale')
  const script = join(temporary.path, `T-${tool}`)
  if (!existsSync(script)) {
    const environment =
      tool === 'docker'
        ? `DOCKER_HOST='unix://${dockerd.socket}' DOCKER_BUILDKIT=0`
        : // The runtime that docker has: its words are part of what is compared.
          `BALE_RUNTIME=runc BALE_ROOT='${temporary.path}/bale/root' BALE_RUN='${temporary.path}/bale/run'`
    const node = `'${process.execPath}' --disable-warning=ExperimentalWarning`
    writeFileSync(
      script,
      `T() { ${environment} DOCKER_CONFIG='${temporary.path}/config-${tool}' '${program}' "$@"; }
SHAPE() { ${node} '${import.meta.dirname}/shape.ts'; }
RECENT() { T events --since "$(cat since)" --until "$(date +%s.%N)" --format '{{json .}}' "$@"; }
EVENTS() { RECENT "$@" | ${node} '${import.meta.dirname}/event-lines.ts'; date +%s.%N >since; }
AWAIT() { until [ "$(RECENT -f "event=$1" | wc -l)" -ge "\${2:-1}" ]; do sleep 0.1; done; }
BUSYBOX='${busybox}'
`,
    )
  }
  // Whoever enters a mount namespace stands in its root directory.
  const inside = `. '${script}'\ncd '${directory}' || exit 99\n${command}`
  const [nsenter, ...words] = places[tool].enter
  return execute(nsenter, [...words, '/bin/sh', '-c', inside], { timeout: 300_000 })
}
