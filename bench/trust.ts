import { createReadStream, mkdirSync, rmSync } from 'node:fs'
import { glob, lstat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type PackedEntry, packTar } from '#format/tar'
import { execute } from '../test/kit/bale.ts'
import { TRIVY, withoutTrivy, writeEmptyDatabases } from '../test/kit/trivy.ts'
import { addImage, type WrittenLayer, writeLayer } from './generated-image.ts'
import { median, type Timing, timed } from './timed.ts'
import type { Tool } from './tools.ts'

/** What the comparison is made of. */
interface TrustBench {
  /** For all that it writes. */
  readonly directory: string
  /** The layout of the generated image, and its layers. */
  readonly layout: string
  readonly layers: readonly WrittenLayer[]
  readonly bale: Tool
  readonly rounds: number
}

/**
 * Times the inventory of one image by bale and by trivy, one after the other: the generated image, and on top of it a layer
 * with what a scanner looks for, of this machine. Both write CycloneDX, and neither has advisories. Returns a table.
 */
export async function timeTrust({ directory, layout, layers, bale, rounds }: TrustBench): Promise<string> {
  addImage(layout, 'packages', [...layers, await writeLayer(layout, 'packages', packTar(packagesOfMachine()))])
  const archive = join(directory, 'packages.tar')
  const name = 'bench/packages:1'
  await must(['skopeo', 'copy', '-q', `oci:${layout}:packages`, `docker-archive:${archive}:${name}`])
  await must(bale.load!(archive), bale.env)
  const [program] = bale.about as [string]
  const sbom = join(directory, 'sbom.json')
  const inventory = (image: string) => [program, 'sbom', '-q', '-o', sbom, image]
  const scan = [program, 'scan', '-q', '--offline', name]
  const kept = join(bale.env['BALE_ROOT']!, 'trust', 'inventories')
  const times = new Map<string, Timing[]>()
  const time = async (what: string, command: readonly string[], env = bale.env) =>
    void times.set(what, [...(times.get(what) ?? []), await timed(command, env)])

  for (let round = 0; round < rounds; round++) {
    if (!withoutTrivy) {
      await time('trivy', await trivy(directory, archive, sbom))
      await time('trivy --version', [TRIVY, '--version'])
    }
    // In a store of its own, which has none of the layers.
    await time('archive', inventory(archive), { ...bale.env, BALE_ROOT: join(directory, `empty${round}`) })
    for (const [what, command] of Object.entries({ stored: inventory(name), scan })) {
      rmSync(kept, { recursive: true, force: true })
      await time(what, command)
    }
    for (let count = 0; count < 3; count++) {
      await time('again', scan)
      await time('images', [program, 'images'])
    }
  }
  return table(times)
}

/** Bars that the project holds itself to. */
const ROWS: readonly [what: string, title: string, peer: string | undefined, bar: string][] = [
  ['stored', 'inventory of a stored image (trivy: of its archive)', 'trivy', '0.5 of trivy'],
  ['archive', 'inventory of the archive', 'trivy', ''],
  ['scan', 'first scan of a stored image', undefined, '250 MB'],
  ['again', 'scan again', undefined, '0.15 s'],
  ['images', 'list of images, to compare a scan with', undefined, ''],
]

function table(times: ReadonlyMap<string, readonly Timing[]>): string {
  const of = (what: string | undefined, member: keyof Timing) =>
    what !== undefined && times.has(what) ? median(times.get(what)!.map((one) => one[member]!)) : undefined
  const ratio = (what: string, peer: string | undefined, member: keyof Timing) =>
    (of(what, member)! / of(peer, member)!).toFixed(2).replace('NaN', '')
  const peak = (what: string | undefined) =>
    times.has(what ?? '') ? Math.max(...times.get(what!)!.map((one) => one.peakMegabytes)).toFixed(0) : ''
  const rows = ROWS.map(([what, title, peer, bar]) => [
    title,
    ...[of(what, 'seconds'), of(what, 'processorSeconds'), of(peer, 'seconds'), of(peer, 'processorSeconds')].map(
      (seconds) => seconds?.toFixed(2) ?? '',
    ),
    ...(['seconds', 'processorSeconds'] as const).map((member) => ratio(what, peer, member)),
    ...[what, peer].map(peak),
    bar,
  ])
  const columns = ['bale s', 'bale CPU s', 'trivy s', 'trivy CPU s', 'ratio', 'ratio of CPU']
  const header = ['what', ...columns, 'bale MB', 'trivy MB', 'bar']
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const start = of('trivy --version', 'processorSeconds')
  const note =
    start === undefined ? `\n${withoutTrivy}` : `\nOf trivy's time, ${start.toFixed(2)} s of CPU are its start.`
  return [line(header), line(header.map(() => '---')), ...rows.map(line), note].join('\n')
}

/** With an empty cache, since it keeps what it has seen of a layer. */
async function trivy(directory: string, archive: string, output: string): Promise<string[]> {
  const cache = join(directory, 'trivy')
  rmSync(cache, { recursive: true, force: true })
  mkdirSync(cache)
  await writeEmptyDatabases(cache)
  const offline = ['--offline-scan', '--skip-db-update', '--skip-java-db-update']
  const input = ['--input', archive, '--cache-dir', cache]
  return [TRIVY, 'image', ...input, ...offline, '--format', 'cyclonedx', '-q', '-o', output]
}

/** Some 200 MB: the database of Debian's packages, programs, packages of Python, npm and Java. */
const LOOKED_FOR = [
  'var/lib/dpkg/status',
  'var/lib/dpkg/info/*.list',
  'usr/lib/os-release',
  'usr/lib/python3/dist-packages/**',
  'usr/sbin/*',
  'usr/share/java/*.jar',
]

async function* packagesOfMachine(): AsyncGenerator<PackedEntry> {
  yield* filesOf('/', LOOKED_FOR, '')
  yield* filesOf(
    resolve(import.meta.dirname, '../node_modules'),
    ['**/*.{js,mjs,json}', '@typescript/*/lib/tsc'],
    'app/node_modules',
  )
}

async function* filesOf(root: string, patterns: readonly string[], below: string): AsyncGenerator<PackedEntry> {
  for await (const name of glob(patterns, { cwd: root })) {
    const path = join(root, name)
    const stats = await lstat(path)
    if (!stats.isFile()) continue
    const entry = {
      name: Buffer.from(join(below, name)).toString('latin1'),
      type: 'file' as const,
      size: stats.size,
      mode: stats.mode & 0o777,
    }
    yield { entry, data: () => createReadStream(path) }
  }
}

async function must(command: readonly string[], env?: Record<string, string>): Promise<void> {
  const outcome = await execute(command[0]!, command.slice(1), { timeout: 300_000, ...(env && { env }) })
  if (outcome.code !== 0) throw new Error(`${command.join(' ')}: ${outcome.stderr}`)
}
