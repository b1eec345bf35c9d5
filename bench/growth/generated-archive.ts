import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, rmSync, statSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { type PackedEntry, packTar } from '#format/tar'

/** Writes a docker archive of an image of these layers; each is given as the entries of its tar. */
export async function writeArchive(
  path: string,
  name: string,
  layers: readonly (Iterable<PackedEntry> | AsyncIterable<PackedEntry>)[],
): Promise<void> {
  const tars: { file: string; diffId: string }[] = []
  for (const [index, entries] of layers.entries()) {
    const file = `${path}.layer${index}`
    const hash = createHash('sha256')
    await pipeline(
      packTar(entries),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          yield chunk
        }
      },
      createWriteStream(file),
    )
    tars.push({ file, diffId: hash.digest('hex') })
  }
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: tars.map(({ diffId }) => `sha256:${diffId}`) },
    }),
  )
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`
  const layerNames = tars.map((_, index) => `layer${index}.tar`)
  const manifest = Buffer.from(JSON.stringify([{ Config: configName, RepoTags: [name], Layers: layerNames }]))
  const members: PackedEntry[] = [
    { entry: fileEntry('manifest.json', manifest.length), data: manifest },
    { entry: fileEntry(configName, config.length), data: config },
    ...tars.map(({ file }, index) => ({
      entry: fileEntry(layerNames[index]!, statSync(file).size),
      data: () => createReadStream(file),
    })),
  ]
  await pipeline(packTar(members), createWriteStream(path))
  for (const { file } of tars) rmSync(file)
}

export const fileEntry = (name: string, size: number) => ({ name, type: 'file' as const, size, mode: 0o755 })
