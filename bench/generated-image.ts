import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { packTar, type TarEntry } from '#format/tar'
import { execute } from '../test/kit/bale.ts'

/** What the image is made of: three layers, about 50,000 files and 1 GB in all, compressible like real trees. */
const LAYERS = [
  { name: 'base', files: 8_500, bytes: 170e6 },
  { name: 'libraries', files: 8_000, bytes: 540e6 },
  { name: 'modules', files: 34_000, bytes: 290e6 },
] as const

/** Writes an OCI layout with the image (gzip layers) to `directory`; the same bytes at every run. */
export async function writeGeneratedImage(directory: string, scale = 1): Promise<void> {
  mkdirSync(`${directory}/blobs/sha256`, { recursive: true })
  const layers: { mediaType: string; digest: string; size: number }[] = []
  const diffIds: string[] = []
  for (const layer of LAYERS) {
    const tar = `${directory}/${layer.name}.tar`
    const hash = createHash('sha256')
    const chunks: Uint8Array[] = []
    const { openSync, writeSync, closeSync } = await import('node:fs')
    const file = openSync(tar, 'w')
    for await (const chunk of packTar(entries(layer, scale))) {
      hash.update(chunk)
      chunks.push(chunk)
      if (chunks.length >= 256) writeSync(file, Buffer.concat(chunks.splice(0)))
    }
    writeSync(file, Buffer.concat(chunks))
    closeSync(file)
    diffIds.push(`sha256:${hash.digest('hex')}`)
    const zipped = await execute('/bin/gzip', ['-n', '-6', '-f', tar], { timeout: 300_000 })
    if (zipped.code !== 0) throw new Error(zipped.stderr)
    const bytes = readFileSync(`${tar}.gz`)
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    await execute('/bin/mv', [`${tar}.gz`, `${directory}/blobs/sha256/${digest.slice(7)}`])
    layers.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: bytes.length })
  }
  const put = (value: object) => {
    const bytes = Buffer.from(JSON.stringify(value))
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    writeFileSync(`${directory}/blobs/sha256/${digest.slice(7)}`, bytes)
    return { digest, size: bytes.length }
  }
  const config = put({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    created: '2024-01-01T00:00:00Z',
    config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: LAYERS.map((layer) => ({ created: '2024-01-01T00:00:00Z', created_by: layer.name })),
  })
  const manifest = put({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers,
  })
  writeFileSync(`${directory}/oci-layout`, JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  writeFileSync(
    `${directory}/index.json`,
    JSON.stringify({
      schemaVersion: 2,
      manifests: [
        {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          ...manifest,
          annotations: { 'org.opencontainers.image.ref.name': 'bench' },
        },
      ],
    }),
  )
}

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
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296
  }
}
