import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { BaleError } from '#base'
import type { ImageSource } from '#image'
import { MediaType } from '#spec'
import { imageOfTars } from '../../../test/kit/image-of-tars.ts'
import { tarEntry, tarOf } from '../../../test/kit/tar.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { findConfinement } from './confinement.ts'
import { type ScannedImage, type ScanProcessOptions, scanInProcess } from './scan-process.ts'

// Coverage is measured in this process alone: Node hands the variable on, whatever environment is given.
delete process.env['NODE_V8_COVERAGE']

// Others scan at the same time: what is left behind here is seen in a directory of its own.
const own = await temporaryDirectory('bale-scans')
process.env['TMPDIR'] = own.path
after(() => own[Symbol.asyncDispose]())

const confinement = await findConfinement()
const MIB = 1024 * 1024

const text = (name: string, content: string) => ({ entry: tarEntry(name), text: content })
const status = (name: string, version: string) =>
  text(
    'var/lib/dpkg/status',
    `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`,
  )

const DEBIAN = tarOf([text('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'), status('openssl', '3.0.11-1')])

async function debian(upper: readonly Promise<Buffer>[] = []) {
  const { place, manifest: read } = await imageOfTars(await Promise.all([DEBIAN, ...upper]))
  if (read.kind !== 'manifest') throw new Error('it is an index')
  return { place, image: { read, manifest: read.manifest } satisfies ScannedImage }
}

const OPTIONS: ScanProcessOptions = {
  confinement,
  memory: 256 * MIB,
  timeout: 60_000,
  signal: new AbortController().signal,
}

/** Scans by a program that is written here, in place of the one that looks at images. */
async function scanBy(code: string, options: Partial<ScanProcessOptions> = {}) {
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'program.mjs')
  writeFileSync(path, code)
  const { place, image } = await debian()
  return await scanInProcess(image, place, { ...OPTIONS, program: pathToFileURL(path).href, ...options })
}

test('a process lists the packages of an image, and leaves nothing behind', async () => {
  const { place, image } = await debian([tarOf([status('openssl', '3.0.14-1')])])
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('bale-scan-'))
  const inventory = await scanInProcess(image, place, OPTIONS)
  assert.deepEqual(
    inventory.packages.map(({ type, name, version, layer }) => [type, name, version, layer]),
    [['deb', 'openssl', '3.0.14-1', 1]],
  )
  assert.equal(inventory.system?.id, 'debian')
  assert.equal(inventory.manifest, image.read.descriptor.digest)
  assert.deepEqual(inventory.gaps, [])
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith('bale-scan-')),
    before,
  )
})

test('files that are too large for memory wait in the directory of the process', async () => {
  const padding = `Description: ${'x'.repeat(70)}\n ${`${'y'.repeat(70)}\n `.repeat(80_000)}`
  const { place, image } = await debian([tarOf([status('openssl', `3.0.14-1\n${padding}.`)])])
  const inventory = await scanInProcess(image, place, OPTIONS)
  assert.deepEqual(inventory.gaps, [])
  assert.equal(inventory.packages[0]!.version, '3.0.14-1')
})

test('a layer that is damaged, or foreign and missing, is a gap; another one that is missing, or a store that is away, ends the scan', async () => {
  const { place, image } = await debian([tarOf([status('openssl', '3.0.14-1')])])
  const [, upper] = image.manifest.layers
  const withBlob = (blob: ImageSource['blob']): ImageSource => ({
    ...place,
    blob: (descriptor, options) =>
      descriptor.digest === upper!.digest ? blob(descriptor, options) : place.blob(descriptor, options),
  })
  const damaged = withBlob(async () => {
    const bytes = Buffer.alloc(upper!.size)
    return (async function* () {
      yield bytes
    })()
  })
  const fails = (error: Error) =>
    withBlob(async () => {
      throw error
    })
  const gone = fails(new BaleError('BLOB_NOT_FOUND', 'it is gone'))
  const foreignly = { ...upper!, mediaType: MediaType.ociForeignLayer, urls: ['https://layers.example/1'] }
  const foreign = { ...image, manifest: { ...image.manifest, layers: [image.manifest.layers[0]!, foreignly] } }
  for (const [scanned, source] of [
    [image, damaged],
    [foreign, gone],
  ] as const) {
    const inventory = await scanInProcess(scanned, source, OPTIONS)
    assert.deepEqual(
      inventory.gaps.map(({ where }) => where),
      [upper!.digest],
    )
    assert.deepEqual(
      inventory.packages.map(({ version }) => version),
      ['3.0.11-1'],
    )
  }
  await assert.rejects(scanInProcess(image, gone, OPTIONS), { code: 'BLOB_NOT_FOUND', message: 'it is gone' })
  await assert.rejects(scanInProcess(image, fails(new BaleError('UNAVAILABLE', 'away')), OPTIONS), {
    code: 'UNAVAILABLE',
  })
})

test('V04 the process has no environment, no network and no open files, reads its program and writes to its own directory alone', async (context) => {
  if (confinement.missing.length > 0) return context.skip(confinement.missing.join())
  const told = await scanBy(`
    import { fstatSync, readFileSync, writeFileSync } from 'node:fs'
    import { networkInterfaces } from 'node:os'
    import { spawn } from 'node:child_process'
    const tries = (act) => { try { act(); return 'yes' } catch (error) { return error.code } }
    const facts = {
      environment: Object.keys(process.env),
      directory: process.cwd(),
      interfaces: Object.values(networkInterfaces()).flat().map(({ address }) => address),
      files: Array.from({ length: 256 }, (_, fd) => fd)
        .filter((fd) => { try { return fstatSync(fd).isFile() } catch { return false } }),
      secrets: tries(() => readFileSync('/etc/passwd')),
      own: tries(() => writeFileSync(process.cwd() + '/file', 'x')),
      others: tries(() => writeFileSync('/tmp/bale-scan-elsewhere', 'x')),
      programs: tries(() => spawn('/bin/true')),
    }
    const message = Buffer.from(JSON.stringify({ message: JSON.stringify(facts) }))
    const head = Buffer.alloc(5)
    head.write('f')
    head.writeUInt32BE(message.length, 1)
    process.stdout.write(Buffer.concat([head, message]))
    setTimeout(() => {}, 10000)
  `).then(
    () => assert.fail('it told no failure'),
    (error: Error) => JSON.parse(error.message),
  )
  const { directory, ...rest } = told
  assert.match(directory, /bale-scan-/)
  assert.deepEqual(rest, {
    environment: [],
    interfaces: [],
    files: [],
    secrets: 'ERR_ACCESS_DENIED',
    own: 'yes',
    others: 'ERR_ACCESS_DENIED',
    programs: 'ERR_ACCESS_DENIED',
  })
})

test('where the system makes no namespaces and sets no limits, images are scanned all the same, and that is told', async () => {
  for (const programs of [{}, { unshare: '/bin/false', prlimit: '/bin/false' }]) {
    const without = await findConfinement(programs)
    assert.deepEqual(
      without.missing.map((one) => one.split(',')[0]),
      ['unshare(1) cannot create namespaces here', 'prlimit(1) does not work here'],
    )
    const { place, image } = await debian()
    const inventory = await scanInProcess(image, place, { ...OPTIONS, confinement: without })
    assert.equal(inventory.packages.length, 1)
  }
})

test('V04 how a process ended that crashed, was killed, took too long or too much memory is told', async () => {
  await assert.rejects(scanBy('process.exit(3)'), {
    code: 'INTERNAL',
    message: 'the scan process ended (code 3)',
  })
  await assert.rejects(scanBy("throw new Error('no such thing')"), { code: 'INTERNAL' })
  await assert.rejects(scanBy("process.kill(process.pid, 'SIGKILL')"), { code: 'INTERNAL', message: /\(SIGKILL\)/ })
  await assert.rejects(scanBy('for (;;);', { timeout: 500 }), {
    code: 'LIMIT_EXCEEDED',
    message: 'the scan takes longer than 0.5 seconds',
  })
  const heap = 'const all = []; for (;;) all.push(Array.from({ length: 1e5 }, () => ({})))'
  await assert.rejects(scanBy(heap), {
    code: 'LIMIT_EXCEEDED',
    message: 'the scan process needs more than 256 MiB of memory',
  })
})

test('V04 memory that is not of JavaScript is limited as well', async (context) => {
  if (confinement.missing.some((one) => one.includes('prlimit'))) return context.skip('prlimit does not work here')
  const buffers = 'const all = []; for (;;) all.push(Buffer.alloc(16e6, 1))'
  await assert.rejects(scanBy(buffers), { code: 'LIMIT_EXCEEDED' })
})

test('V04 what a process says is not believed', async () => {
  const saying = (kind: string, body: string) => `
    const body = Buffer.from(${JSON.stringify(body)})
    const head = Buffer.alloc(5)
    head.write('${kind}')
    head.writeUInt32BE(body.length, 1)
    const end = Buffer.from([101, 0, 0, 0, 0])
    process.stdout.write(Buffer.concat([head, body, end]))
    setTimeout(() => {}, 10000)
  `
  await assert.rejects(scanBy(saying('p', '{"packages": 3}')), { code: 'INTERNAL' })
  await assert.rejects(scanBy(saying('p', 'no JSON')), { code: 'INTERNAL' })
  await assert.rejects(scanBy(saying('z', '')), { code: 'INTERNAL' })
  await assert.rejects(scanBy(saying('f', '{"code": "__proto__", "message": "m"}')), { message: 'm' })
  await assert.rejects(
    scanBy('process.stdout.write(Buffer.from([112, 255, 255, 255, 255])); setTimeout(() => {}, 10000)'),
    {
      code: 'LIMIT_EXCEEDED',
    },
  )
})
