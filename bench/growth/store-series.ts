import { join } from 'node:path'
import { createEngine, readConfig } from '#engine'
import { writeArchive } from './generated-archive.ts'
import { busybox } from './image-series.ts'
import type { Series, Stage } from './series.ts'

const NAME = 'growth/image:1'

/** Stores that know of much. They are filled by the library, as fast as it can. */
export const STORE_SERIES: readonly Series[] = [
  {
    name: 'names',
    unit: 'names',
    whole: 10_000,
    does: 'a store with many names of images',
    bars: { images: [{ seconds: 0.15 }] },
    bytes: 1e9,
    async play(size, stage) {
      await loadBase(stage)
      {
        await using engine = openEngine(stage)
        for (let index = 0; index < size; index++)
          await engine.images.tag(NAME, `growth/name${index % 100}:${Math.floor(index / 100)}`)
      }
      await stage.time('images', ['images'])
      await stage.time('images -q', ['images', '-q'])
      await stage.time('ps', ['ps'])
    },
  },
  {
    name: 'containers',
    unit: 'containers',
    whole: 2000,
    does: 'a store with many containers that do not run',
    bars: { 'ps -a': [{ seconds: 0.15 }], ps: [{ seconds: 0.15 }] },
    bytes: 2e9,
    async play(size, stage) {
      await loadBase(stage)
      {
        await using engine = openEngine(stage)
        for (let index = 0; index < size; index++)
          await engine.containers.create({
            name: `stopped${index}`,
            image: NAME,
            config: { command: ['true'] },
            host: { network: 'none' },
          })
      }
      await stage.time('ps -a', ['ps', '-a'])
      await stage.time('ps', ['ps'])
      await stage.time('run', ['run', '--rm', '--network', 'none', NAME, 'true'])
      await stage.time('container prune', ['container', 'prune', '-f'])
    },
  },
]

const openEngine = ({ env }: Stage) =>
  createEngine({ config: readConfig({ root: env['BALE_ROOT'], run: env['BALE_RUN'] }) })

async function loadBase({ directory, must }: Stage): Promise<void> {
  const archive = join(directory, 'base.tar')
  await writeArchive(archive, NAME, [busybox()])
  await must(['load', '-q', '-i', archive])
}
