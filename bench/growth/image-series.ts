import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { PackedEntry } from '#format/tar'
import { readBytesSync } from '#host/file'
import { fileEntry, writeArchive } from './generated-archive.ts'
import type { Series, Stage } from './series.ts'

const NAME = 'growth/image:1'
const MEMORY = [{ megabytes: 220 }]

/** Images that are large in one way. */
export const IMAGE_SERIES: readonly Series[] = [
  {
    name: 'files',
    unit: 'files',
    whole: 1_000_000,
    does: 'an image with a layer of small files',
    bars: { load: MEMORY, save: MEMORY },
    bytes: 8e9,
    async play(size, stage) {
      await store(stage, [busybox(), smallFiles(size)])
    },
  },
  {
    name: 'layers',
    unit: 'layers',
    whole: 127,
    does: 'an image of many layers of ten files each',
    bars: { load: MEMORY, save: MEMORY },
    bytes: 1e9,
    async play(size, stage) {
      const more = Array.from({ length: size - 1 }, (_, index) => smallFiles(10, `layer${index}`))
      await store(stage, [busybox(), ...more])
    },
  },
  {
    name: 'large file',
    unit: 'megabytes',
    whole: 5000,
    does: 'an image with one large file, that goes to a registry and back',
    bars: { load: MEMORY, save: MEMORY, push: MEMORY, pull: MEMORY, 'system check': MEMORY },
    bytes: 30e9,
    async play(size, stage) {
      const archive = join(stage.directory, 'image.tar')
      await writeArchive(archive, NAME, [busybox(), oneFile(size)])
      const remote = `${stage.registry}/growth/large:${size}`
      await stage.time('load', ['load', '-q', '-i', archive])
      rmSync(archive)
      await stage.time('run', ['run', '--rm', '--network', 'none', NAME, 'true'])
      await stage.time('system check', ['system', 'check'])
      await save(stage)
      await stage.must(['tag', NAME, remote])
      await stage.time('push', ['push', '-q', remote])
      await stage.must(['rmi', '-f', remote, NAME])
      await stage.time('pull', ['pull', '-q', remote])
      await stage.time('rmi', ['rmi', '-f', remote])
    },
  },
]

/** From an archive into the store and out again. */
async function store(stage: Stage, layers: Parameters<typeof writeArchive>[2]): Promise<void> {
  const archive = join(stage.directory, 'image.tar')
  await writeArchive(archive, NAME, layers)
  await stage.time('load', ['load', '-q', '-i', archive])
  rmSync(archive)
  await stage.time('run', ['run', '--rm', '--network', 'none', NAME, 'true'])
  await stage.time('find', ['run', '--rm', '--network', 'none', NAME, 'find', '/opt', '-type', 'f', '-size', '+1000'])
  await stage.time('system check', ['system', 'check'])
  await save(stage)
  await stage.time('rmi', ['rmi', '-f', NAME])
}

async function save(stage: Stage): Promise<void> {
  const file = join(stage.directory, 'saved.tar')
  await stage.time('save', ['save', '-o', file, NAME])
  rmSync(file)
}

/** What containers need. */
export function* busybox(): Generator<PackedEntry> {
  const program = readBytesSync('/bin/busybox')
  for (const name of ['bin', 'dev', 'etc', 'opt', 'proc', 'sys', 'tmp'])
    yield { entry: { name, type: 'directory', mode: 0o755 } }
  yield { entry: fileEntry('bin/busybox', program.length), data: program }
  for (const name of ['sh', 'true', 'find', 'sleep'])
    yield { entry: { name: `bin/${name}`, type: 'symlink', mode: 0o777, linkName: 'busybox' } }
}

/** A hundred files in a directory, each of its own content. */
function* smallFiles(count: number, below = 'files'): Generator<PackedEntry> {
  for (const directory of ['opt', `opt/${below}`]) yield { entry: { name: directory, type: 'directory', mode: 0o755 } }
  for (let index = 0; index < count; index++) {
    const directory = `opt/${below}/d${Math.floor(index / 100)}`
    if (index % 100 === 0) yield { entry: { name: directory, type: 'directory', mode: 0o755 } }
    const data = Buffer.from(`content of file ${index} below ${below}\n`)
    yield { entry: fileEntry(`${directory}/file${index}`, data.length), data }
  }
}

/** Lines that differ, which deflate to a fifth. */
function* oneFile(megabytes: number): Generator<PackedEntry> {
  yield { entry: { name: 'opt', type: 'directory', mode: 0o755 } }
  yield {
    entry: fileEntry('opt/large', megabytes * 1e6),
    data: (function* () {
      for (let index = 0; index < megabytes; index++) {
        const line = (number: number) => `${(index * 20_000 + number) * 2654435761}`.padEnd(49, ' word').concat('\n')
        yield Buffer.from(Array.from({ length: 20_000 }, (_, number) => line(number)).join(''))
      }
    })(),
  }
}
