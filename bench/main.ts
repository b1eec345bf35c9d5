/** Times the verbs of an image's life on bale and its peers, one after the other in one run, and prints tables. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { execute } from '../test/kit/bale.ts'
import { mountsBelow } from '../test/kit/temporary.ts'
import { writeGeneratedImage } from './generated-image.ts'
import { startPeerRegistry } from './peer-registry.ts'
import { timeReads } from './reads.ts'
import { median, type Timing, timed } from './timed.ts'
import { baleTool, dockerTool, podmanTool, skopeoTool, type Tool } from './tools.ts'
import { timeTrust } from './trust.ts'

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    only: { type: 'string' },
    tools: { type: 'string', default: 'bale,podman,docker,skopeo' },
    write: { type: 'boolean', default: false },
  },
})
const rounds = Number(flags.rounds)
const wanted = (verb: string) => !flags.only || flags.only.split(',').includes(verb)

/** Bars that the project holds itself to: a ratio bale / podman, or seconds. */
const BARS: Record<string, string> = {
  '--version': '0.1 s',
  pull: '0.3 of podman, 250 MB',
  save: '0.3 of podman',
  load: '0.25 of podman',
  rmi: '0.2 of podman',
  run: '0.7 of podman',
  'build again': '0.5 s',
  'reads warm': '1.1 of podman',
}

const directory = mkdtempSync('/var/tmp/bale-bench-')
const results = new Map<string, Map<string, Timing[]>>()
const tools: Tool[] = []
try {
  console.log(`making the image (${flags.scale} × 1 GB, 50,000 files) …`)
  const layers = await writeGeneratedImage(`${directory}/layout`, Number(flags.scale))
  const text = flags.only === 'trust' ? [] : [await compareTools()]
  if (wanted('trust')) {
    await using bale = await baleTool(`${directory}/trust`)
    text.push(await timeTrust({ directory, layout: `${directory}/layout`, layers, bale, rounds }))
  }
  console.log(text.join('\n\n'))
  if (flags.write) writePage(text.join('\n\n'))
} finally {
  for (const tool of tools) await tool[Symbol.asyncDispose]()
  for (const target of mountsBelow(directory).reverse()) await execute('umount', ['-l', target])
  rmSync(directory, { recursive: true, force: true })
}

async function compareTools(): Promise<string> {
  await using registry = await startPeerRegistry(directory)
  const image = `${registry.host}/bench/image:1`
  await must(['skopeo', 'copy', '-q', '--dest-tls-verify=false', `oci:${directory}/layout:bench`, `docker://${image}`])
  // One archive that all of them load, as docker and podman write it: plain layers.
  await must([
    'skopeo',
    'copy',
    '-q',
    `oci:${directory}/layout:bench`,
    `docker-archive:${directory}/image.tar:bench/loaded:1`,
  ])
  const names = flags.tools.split(',')
  const made = [
    names.includes('bale') && (await baleTool(`${directory}/bale`)),
    names.includes('podman') && (await podmanTool(`${directory}/podman`)),
    names.includes('docker') && (await dockerTool(`${directory}/docker`)),
    names.includes('skopeo') && (await skopeoTool(`${directory}/skopeo`)),
  ]
  for (const tool of made) if (tool) tools.push(tool)
  console.log(
    `compared: ${tools.map((tool) => `${tool.name} (${tool.version})`).join(', ')}; ${rounds} rounds, medians`,
  )
  const played = ['version', 'pull', 'save', 'rmi', 'load', 'run', 'build'].some(wanted)
  for (let round = 0; played && round < rounds; round++) for (const tool of tools) await play(tool, image, round)
  if (wanted('reads')) {
    const runners = tools.filter((tool) => tool.run)
    for (const tool of runners) await timed(tool.pull(image), tool.env)
    await timeReads(runners, image, add)
    for (const tool of runners) await timed(tool.remove(image), tool.env)
  }
  return table()
}

async function play(tool: Tool, image: string, round: number): Promise<void> {
  const step = async (what: string, command: string[] | undefined) => {
    if (!command) return
    const timing = await timed(command, tool.env)
    if (wanted(what)) add(what, tool, timing)
  }
  if (wanted('version'))
    for (let count = 0; count < 3; count++) add('--version', tool, await timed(tool.about, tool.env))
  await step('pull', tool.pull(image))
  if (wanted('save')) {
    // podman refuses to write over an archive.
    rmSync(`${directory}/saved.tar`, { force: true })
    await step('save', tool.save(image, `${directory}/saved.tar`))
  }
  if (tool.run && wanted('run')) {
    await timed(tool.run(['--rm', image, 'true']), tool.env)
    for (let count = 0; count < 3; count++) await step('run', tool.run(['--rm', image, 'true']))
  }
  if (tool.build && wanted('build')) {
    const context = buildContext(image)
    if (tool.forgetBuilds) await timed(tool.forgetBuilds(), tool.env)
    await step('build', tool.build(`bench/built:${round}`, context))
    if (wanted('build')) add('build again', tool, await timed(tool.build(`bench/built:${round}`, context), tool.env))
    await timed(tool.remove(`bench/built:${round}`), tool.env)
    if (tool.forgetBuilds) await timed(tool.forgetBuilds(), tool.env)
  }
  await step('rmi', tool.remove(image))
  if (tool.load && wanted('load')) {
    await step('load', tool.load(`${directory}/image.tar`))
    await timed(tool.remove(tool.name === 'podman' ? 'docker.io/bench/loaded:1' : 'bench/loaded:1'), tool.env)
  }
}

/** A context of a few hundred files, copied, and a step that runs. */
function buildContext(image: string): string {
  const context = join(directory, 'context')
  rmSync(context, { recursive: true, force: true })
  mkdirSync(context)
  cpSync(resolve(import.meta.dirname, '../src'), join(context, 'src'), { recursive: true })
  writeFileSync(join(context, 'Dockerfile'), `FROM ${image}\nCOPY src /src\nRUN echo built > /built\nCMD ["true"]\n`)
  return context
}

function add(what: string, tool: Tool, timing: Timing): void {
  const byTool = results.get(what) ?? new Map<string, Timing[]>()
  results.set(what, byTool)
  byTool.set(tool.name, [...(byTool.get(tool.name) ?? []), timing])
}

function table(): string {
  const header = [
    'what',
    ...tools.map((tool) => `${tool.name} s`),
    'bale MB',
    ...tools.slice(1).map((tool) => `bale / ${tool.name}`),
    'bar',
  ]
  const rows = [...results].map(([what, byTool]) => {
    const seconds = (name: string) => {
      const timings = byTool.get(name)
      return timings && median(timings.map((timing) => timing.seconds))
    }
    const own = seconds('bale')
    const memory = byTool.get('bale')?.map((timing) => timing.peakMegabytes)
    const ratio = (name: string) => {
      const other = seconds(name)
      return own === undefined || !other ? '' : (own / other).toFixed(2)
    }
    const bar = BARS[what] ?? (what.endsWith('warm') ? BARS['reads warm'] : undefined)
    return [
      what,
      ...tools.map((tool) => seconds(tool.name)?.toFixed(2) ?? ''),
      memory ? String(Math.round(Math.max(...memory)) || '') : '',
      ...tools.slice(1).map((tool) => ratio(tool.name)),
      bar ?? '',
    ]
  })
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}

function writePage(text: string): void {
  const page = resolve(import.meta.dirname, '../docs/performance.md')
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, ${new Date().toISOString().slice(0, 10)}`
  const versions = tools.map((tool) => tool.version).join(', ')
  const begin = '<!-- bench:begin -->'
  const end = '<!-- bench:end -->'
  const old = readFileSync(page, 'utf8')
  const before = old.slice(0, old.indexOf(begin) + begin.length)
  const after = old.slice(old.indexOf(end))
  writeFileSync(page, `${before}\n\n${machine}. ${versions}. Medians of ${rounds} rounds.\n\n${text}\n\n${after}`)
}

async function must(command: string[]): Promise<void> {
  const outcome = await execute(command[0]!, command.slice(1), { timeout: 300_000 })
  if (outcome.code !== 0) throw new Error(`${command.join(' ')}: ${outcome.stderr}`)
}
