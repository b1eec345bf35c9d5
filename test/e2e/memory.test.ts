import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { readTextSync } from '#host/file'
import { packTar } from '../../src/format/tar/index.ts'
import { type TestBale, testBale } from '../kit/bale.ts'
import { startDockerRegistry } from '../kit/docker-registry.ts'
import { digestOf, type ScriptedRegistry, scriptedRegistry } from '../kit/scripted-registry.ts'

/** What a verb may have at its peak, whatever the sizes of the layers. */
const MEGABYTES = 220

test('pull, save, load and push of layers of 450 MB stay below 220 MB of memory each', async (context) => {
  await using bale = await testBale()
  await using registry = await scriptedRegistry()
  await using upstream = await startDockerRegistry()
  serveFiles(registry)
  // What a first run has to do with the sources (types to strip) is not what is measured.
  await putImage(registry, 'warm', [await layer(bale, { name: 'warm', megabytes: 2, level: 0 })])
  await bale.run(['pull', '-q', `${registry.host}/team/large:warm`])
  await putImage(registry, 'large', [
    await layer(bale, { name: 'stored', megabytes: 200, level: 0 }),
    await layer(bale, { name: 'squeezed', megabytes: 250, level: 1 }),
  ])
  const image = `${registry.host}/team/large:large`
  await verb(bale, context, 'pull', '-q', image)
  assert.equal(JSON.parse(await bale.run(['image', 'inspect', image]))[0].RootFS.Layers.length, 2)
  await verb(bale, context, 'save', '-o', `${bale.directory}/saved.tar`, image)
  await bale.run(['rmi', image])
  // A layer made here is saved plain, and compressed by its first push.
  const plain = `${upstream.host}/team/plain:1`
  await writeFile(`${bale.directory}/plain.tar`, packTar(tarEntries('plain', 450, 0)))
  await verb(bale, context, 'import', `${bale.directory}/plain.tar`, plain)
  await verb(bale, context, 'push', '-q', plain)
  await verb(bale, context, 'save', '-o', `${bale.directory}/saved.tar`, plain)
  await bale.run(['rmi', plain])
  await verb(bale, context, 'load', '-q', '-i', `${bale.directory}/saved.tar`)
})

test('builds of 100,000 files stay below 220 MB of memory each, and are cached', async (context) => {
  await using bale = await testBale()
  const directory = `${bale.directory}/context`
  for (let index = 0; index < 100_000; index++) {
    const below = `${directory}/files/d${Math.floor(index / 100)}`
    if (index % 100 === 0) mkdirSync(below, { recursive: true })
    writeFileSync(`${below}/file${index}`, `content of file ${index}\n`)
  }
  writeFileSync(`${directory}/Dockerfile`, 'FROM scratch\nCOPY files /files\n')
  const build = ['build', '--iidfile', `${bale.directory}/id`, '-t', 'many', directory]
  await verb(bale, context, ...build)
  const id = readTextSync(`${bale.directory}/id`)
  await verb(bale, context, ...build)
  assert.equal(readTextSync(`${bale.directory}/id`), id)
  writeFileSync(`${directory}/files/d999/file99999`, 'changed\n')
  await verb(bale, context, ...build)
  assert.notEqual(readTextSync(`${bale.directory}/id`), id)
})

interface Layer {
  file: string
  digest: string
  diffId: string
}

/** A tar of files of 4 MB. Level 0 keeps noise as it is; level 1 makes text about forty times smaller. */
async function layer(
  bale: TestBale,
  { name, megabytes, level }: { name: string; megabytes: number; level: 0 | 1 },
): Promise<Layer> {
  const file = `${bale.directory}/${name}.tar.gz`
  const entries = tarEntries(name, megabytes, level)
  const diffId = createHash('sha256')
  const digest = createHash('sha256')
  const gzip = createGzip({ level, chunkSize: 1 << 20 })
  const target = createWriteStream(file)
  const feeding = (async () => {
    for await (const bytes of packTar(entries)) {
      diffId.update(bytes)
      // The next piece may lie in the same memory.
      if (!gzip.write(Buffer.from(bytes))) await new Promise<void>((drained) => gzip.once('drain', drained))
    }
    gzip.end()
  })()
  for await (const bytes of gzip) {
    digest.update(bytes)
    if (!target.write(bytes)) await new Promise<void>((drained) => target.once('drain', drained))
  }
  await feeding
  await new Promise<void>((closed) => target.end(() => closed()))
  return { file, digest: `sha256:${digest.digest('hex')}`, diffId: `sha256:${diffId.digest('hex')}` }
}

function tarEntries(name: string, megabytes: number, level: 0 | 1) {
  const size = 4_000_000
  const data = level === 0 ? randomBytes(size) : Buffer.alloc(size, 'all work and no play makes a dull layer of text; ')
  return Array.from({ length: megabytes / 4 || 1 }, (_, index) => ({
    entry: { name: `${name}/${index}`, type: 'file' as const, size },
    data,
  }))
}

const files = new Map<string, string>()

/** Layers come from the disk, as they would from a real registry. */
function serveFiles(registry: ScriptedRegistry): void {
  registry.intercept = (request, response) => {
    const file = files.get(/\/blobs\/(.+)$/.exec(request.url ?? '')?.[1] ?? '')
    if (!file) return false
    response.writeHead(200, { 'content-length': statSync(file).size })
    if (request.method === 'HEAD') response.end()
    else createReadStream(file).pipe(response)
    return true
  }
}

async function putImage(registry: ScriptedRegistry, tag: string, layers: readonly Layer[]): Promise<void> {
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    }),
  )
  registry.blobs.set(digestOf(config), config)
  for (const { digest, file } of layers) files.set(digest, file)
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(config),
        size: config.length,
      },
      layers: layers.map(({ digest, file }) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest,
        size: statSync(file).size,
      })),
    }),
  )
  for (const name of [tag, digestOf(bytes)]) registry.manifests.set(name, { bytes, mediaType })
}

/** Runs a verb that must succeed with a peak below the bar. */
async function verb(bale: TestBale, context: TestContext, ...args: string[]): Promise<void> {
  const { code, stderr, peak } = await measured(bale, args)
  context.diagnostic(`${args[0]}: peak ${Math.round(peak)} MB`)
  assert.equal(code, 0, stderr)
  assert.ok(peak > 40 && peak < MEGABYTES, `the peak of ${args[0]} was ${Math.round(peak)} MB`)
}

/** Peak in MB, as the kernel keeps it; looked at until the process is gone. */
async function measured(
  bale: TestBale,
  args: readonly string[],
): Promise<{ code: number | null; stderr: string; peak: number }> {
  const program = resolve(import.meta.dirname, '../../bin/bale')
  const child = spawn(program, args, { env: bale.environment, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes
  })
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  let peak = 0
  for (let running = true; running; ) {
    running = await Promise.race([ended.then(() => false), sleep(20, true)])
    if (running) peak = Math.max(peak, highWaterMark(child.pid!))
  }
  return { code: await ended, stderr, peak }
}

function highWaterMark(pid: number): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readTextSync(`/proc/${pid}/status`))?.[1]
    // A process that ends has no memory any more.
    return Number(kilobytes ?? 0) / 1000
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0
    throw error
  }
}
