import { createReadStream } from 'node:fs'
import { glob, lstat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type PackedEntry, packTar } from '#format/tar'
import { createBuildContext } from './build-context.ts'
import { addImage, writeGeneratedImage, writeLayer } from './generated-image.ts'
import type { Bench } from './row.ts'
import { must } from './timed.ts'
import { basic } from './tools/index.ts'

/** Makes what all rows are played on: the image in a registry and as an archive, and a context to build from. */
export async function prepareBench(
  directory: string,
  { scale, registry, signal }: { scale: number; registry: string; signal: AbortSignal },
): Promise<Bench> {
  const layout = `${directory}/layout`
  const layers = await writeGeneratedImage(layout, scale)
  const repository = `${registry}/bench/image`
  const image = `${repository}:1`
  const archive = `${directory}/image.tar`
  const skopeo = (...args: string[]) => must(['skopeo', 'copy', '-q', ...args], { env: basic(), signal })
  await skopeo('--dest-tls-verify=false', `oci:${layout}:bench`, `docker://${image}`)
  // One archive that all of them load, as docker and podman write it: plain layers.
  await skopeo(`oci:${layout}:bench`, `docker-archive:${archive}:bench/loaded:1`)
  let packages: Promise<string> | undefined
  const packagesArchive = async (): Promise<string> => {
    addImage(layout, 'packages', [...layers, await writeLayer(layout, 'packages', packTar(packagesOfMachine()))])
    await skopeo(`oci:${layout}:packages`, `docker-archive:${directory}/packages.tar:bench/packages:1`)
    return `${directory}/packages.tar`
  }
  return {
    ...{ directory, scale, layout, layers, image, repository, archive },
    packagesArchive: () => {
      packages ??= packagesArchive()
      return packages
    },
    context: createBuildContext(`${directory}/context`, image, scale),
  }
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
