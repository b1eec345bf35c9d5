import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { packTar, type TarEntry } from '#format/tar'
import { execute } from '../test/kit/bale.ts'

/** What the image is made of: three layers, about 50,000 files and 1 GB in all, compressible like real trees. */
const LAYERS = [
  { name: 'base', files: 8_500, bytes: 170e6 },
  { name: 'libraries', files: 8_000, bytes: 540e6 },
  { name: 'modules', files: 34_000, bytes: 290e6 },
] as const

/** A layer as a blob of a layout. */
export interface WrittenLayer {
  /** What made it, for the image's history. */
  readonly name: string
  readonly diffId: string
  readonly descriptor: Descriptor
}

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** Writes an OCI layout with the image `bench` (gzip layers) to `directory`; the same bytes at every run. */
export async function writeGeneratedImage(directory: string, scale = 1): Promise<WrittenLayer[]> {
  mkdirSync(`${directory}/blobs/sha256`, { recursive: true })
  writeFileSync(`${directory}/oci-layout`, JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  const layers: WrittenLayer[] = []
  for (const layer of LAYERS) layers.push(await writeLayer(directory, layer.name, packTar(entries(layer, scale))))
  addImage(directory, 'bench', layers)
  return layers
}

/** Writes a layer to the blobs of a layout. */
export async function writeLayer(
  directory: string,
  name: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<WrittenLayer> {
  const tar = `${directory}/${name}.tar`
  const hash = createHash('sha256')
  const batch: Uint8Array[] = []
  const file = openSync(tar, 'w')
  for await (const chunk of chunks) {
    hash.update(chunk)
    batch.push(chunk)
    if (batch.length >= 256) writeSync(file, Buffer.concat(batch.splice(0)))
  }
  writeSync(file, Buffer.concat(batch))
  closeSync(file)
  const zipped = await execute('/bin/gzip', ['-n', '-6', '-f', tar], { timeout: 300_000 })
  if (zipped.code !== 0) throw new Error(zipped.stderr)
  const { digest, size } = describe(readFileSync(`${tar}.gz`))
  await execute('/bin/mv', [`${tar}.gz`, blobPath(directory, digest)])
  const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size }
  return { name, diffId: `sha256:${hash.digest('hex')}`, descriptor }
}

/** Adds an image of layers that the layout has to it, under a name. */
export function addImage(directory: string, name: string, layers: readonly WrittenLayer[]): void {
  const put = (value: object) => {
    const bytes = Buffer.from(JSON.stringify(value))
    const described = describe(bytes)
    writeFileSync(blobPath(directory, described.digest), bytes)
    return described
  }
  const created = '2024-01-01T00:00:00Z'
  const config = put({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    created,
    config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map((layer) => ({ created, created_by: layer.name })),
  })
  const manifest = put({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: layers.map(({ descriptor }) => descriptor),
  })
  const path = `${directory}/index.json`
  const others = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { manifests: object[] }).manifests : []
  const named = { mediaType: MANIFEST, ...manifest, annotations: { 'org.opencontainers.image.ref.name': name } }
  writeFileSync(path, JSON.stringify({ schemaVersion: 2, manifests: [...others, named] }))
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

function describe(bytes: Uint8Array): { digest: string; size: number } {
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length }
}

const blobPath = (directory: string, digest: string) => `${directory}/blobs/sha256/${digest.slice('sha256:'.length)}`

async function* entries(
  layer: (typeof LAYERS)[number],
  scale: number,
): AsyncIterable<{ entry: TarEntry; data?: Uint8Array }> {
  const random = generator(layer.files)
  const directoryEntry = (name: string) => ({ entry: entry(`${name}/`, 'directory', 0o755, 0) })
  if (layer.name === 'base') {
    for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'root']) yield directoryEntry(name)
    const busybox = readFileSync('/bin/busybox')
    // Where programs of the host look for their libraries when /usr is mounted in.
    for (const name of ['lib', 'lib64']) {
      yield { entry: { ...entry(name, 'symlink', 0o777, 0), linkName: `usr/${name}` } }
    }
    yield { entry: entry('bin/busybox', 'file', 0o755, busybox.length), data: busybox }
    for (const name of ['sh', 'true', 'find', 'grep', 'cat', 'dd', 'wc', 'time', 'sleep', 'xargs', 'od']) {
      yield { entry: { ...entry(`bin/${name}`, 'symlink', 0o777, 0), linkName: 'busybox' } }
    }
  }
  yield directoryEntry('opt')
  yield directoryEntry(`opt/${layer.name}`)
  const count = Math.round(layer.files * scale)
  // File sizes like a real tree: most are small, few are large; the average gives the layer's bytes.
  const weights = Array.from({ length: count }, () => random() ** 8 * 60 + random() * 0.7 + 0.02)
  const sum = weights.reduce((a, b) => a + b, 0)
  const text = words(1 << 20, random)
  for (let index = 0; index < count; index++) {
    if (index % 40 === 0) yield directoryEntry(`opt/${layer.name}/d${Math.floor(index / 40)}`)
    const size = Math.max(1, Math.round((weights[index]! / sum) * layer.bytes * scale))
    const data = new Uint8Array(size)
    for (let at = 0; at < size; ) {
      const from = Math.floor(random() * (text.length - 4096))
      const length = Math.min(size - at, 1024 + Math.floor(random() * 3072))
      data.set(text.subarray(from, from + length), at)
      at += length
    }
    yield { entry: entry(`opt/${layer.name}/d${Math.floor(index / 40)}/file${index}.txt`, 'file', 0o644, size), data }
  }
}

function entry(name: string, type: TarEntry['type'], mode: number, size: number): TarEntry {
  return {
    ...{ name, type, mode, uid: 0, gid: 0, mtime: 1_700_000_000, mtimeNanoseconds: 0, size, dataSize: size },
    ...{ linkName: '', deviceMajor: 0, deviceMinor: 0, xattrs: new Map() },
  }
}

/** Text of words of uneven frequency with some noise: gzip takes it to about a third, as it does with real trees. */
function words(length: number, random: () => number): Uint8Array {
  const vocabulary = Array.from({ length: 4000 }, () =>
    Array.from({ length: 3 + Math.floor(random() * 8) }, () =>
      String.fromCharCode(97 + Math.floor(random() * 26)),
    ).join(''),
  )
  let text = ''
  while (text.length < length) {
    text += random() < 0.05 ? `${Math.floor(random() * 1e9)}\n` : `${vocabulary[Math.floor(random() ** 3 * 4000)]} `
  }
  return Buffer.from(text.slice(0, length))
}

/** A small seeded generator (mulberry32), so that the image is the same at every run. */
export function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296
  }
}
