import { COPY_ALONE } from '../build-context.ts'
import type { Section } from '../row.ts'
import { BUILT, builtImage, forgetBuild, markBuilt } from './built-image.ts'

const MEMORY = { megabytes: 220 }

/** All with the host's network, since podman has no other for builds here. */
export const build: Section = {
  name: 'build',
  title: 'Builds',
  rows: [
    {
      name: 'build cold',
      does: 'three RUN and a COPY of 33,000 files (540 MB), nothing cached',
      bars: [{ ratio: 0.3, of: 'best' }, MEMORY],
      image: 'present',
      async play(turn) {
        const { bench, tool, state, time } = turn
        if (!tool.build) return
        await forgetBuild(turn)
        await time(tool.build(BUILT, bench.context.directory))
        markBuilt(bench, state)
      },
    },
    {
      name: 'build again',
      does: 'the same with everything cached and nothing changed',
      bars: [{ ratio: 0.4, of: 'best' }, MEMORY],
      image: 'present',
      yardstick: {
        name: 'find -printf of the context',
        script: ({ context }) => `find ${context.directory} -printf '%p %s %T@ %C@\\n' > /dev/null`,
      },
      async play(turn) {
        const { bench, tool, time } = turn
        if (!tool.build) return
        await builtImage(turn)
        for (let count = 0; count < 2; count++) await time(tool.build(BUILT, bench.context.directory))
      },
    },
    {
      name: 'build one changed',
      does: 'the same after one of the 33,000 files has changed: the COPY and the last RUN',
      bars: [{ ratio: 0.3, of: 'best' }, MEMORY],
      image: 'present',
      async play(turn) {
        const { bench, tool, state, time } = turn
        if (!tool.build) return
        await builtImage(turn)
        bench.context.change()
        await time(tool.build(BUILT, bench.context.directory))
        markBuilt(bench, state)
      },
    },
    {
      name: 'COPY alone',
      does: 'a COPY of the same files onto nothing, as all of a build',
      bars: [{ ratio: 1.5, of: 'yardstick' }],
      yardstick: {
        name: 'tar | sha256sum of the context',
        script: ({ context }) => `tar -C ${context.files} -c . | sha256sum > /dev/null`,
      },
      async play(turn) {
        const { bench, tool, must, time } = turn
        if (!tool.build) return
        await forgetBuild(turn)
        await time(tool.build('bench/copied:1', bench.context.directory, COPY_ALONE))
        await must(tool.remove!('bench/copied:1'))
      },
    },
  ],
}
