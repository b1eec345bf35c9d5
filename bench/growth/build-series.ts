import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeArchive } from './generated-archive.ts'
import { busybox } from './image-series.ts'
import type { Series, Stage } from './series.ts'

const MEMORY = [{ megabytes: 220 }]
const BARS = { 'build cold': MEMORY, 'build again': MEMORY, 'build one changed': MEMORY }

/** Builds that are large in one way. */
export const BUILD_SERIES: readonly Series[] = [
  {
    name: 'context',
    unit: 'files',
    whole: 300_000,
    does: 'a COPY of many small files',
    bars: BARS,
    bytes: 5e9,
    async play(size, stage) {
      const context = join(stage.directory, 'context')
      for (let index = 0; index < size; index++) {
        const directory = join(context, 'files', `d${Math.floor(index / 100)}`)
        if (index % 100 === 0) mkdirSync(directory, { recursive: true })
        writeFileSync(join(directory, `file${index}`), `content of file ${index}\n`)
      }
      await build(stage, context, ['COPY files /files'], () =>
        writeFileSync(join(context, 'files/d0/file0'), 'changed\n'),
      )
    },
  },
  {
    name: 'steps',
    unit: 'steps',
    whole: 120,
    does: 'a Dockerfile of many RUN',
    bars: BARS,
    bytes: 1e9,
    async play(size, stage) {
      const context = join(stage.directory, 'context')
      mkdirSync(context)
      writeFileSync(join(context, 'last'), 'first\n')
      // FROM is one, and so is COPY.
      const steps = Array.from({ length: Math.max(0, size - 2) }, (_, index) => `RUN echo ${index} > /step${index}`)
      await build(stage, context, [...steps, 'COPY last /last'], () =>
        writeFileSync(join(context, 'last'), 'changed\n'),
      )
    },
  },
]

async function build(stage: Stage, context: string, steps: readonly string[], change: () => void): Promise<void> {
  const base = join(stage.directory, 'base.tar')
  await writeArchive(base, 'growth/base:1', [busybox()])
  await stage.must(['load', '-q', '-i', base])
  writeFileSync(join(context, 'Dockerfile'), ['FROM growth/base:1', ...steps, ''].join('\n'))
  const command = ['build', '-q', '--network', 'none', '-t', 'growth/built:1', context]
  await stage.time('build cold', command)
  await stage.time('build again', command)
  change()
  await stage.time('build one changed', command)
  await stage.must(['rmi', '-f', 'growth/built:1', 'growth/base:1'])
  await stage.must(['builder', 'prune', '-af'])
}
