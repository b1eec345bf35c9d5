import type { Section } from '../row.ts'

/** What people meet first: commands that answer from what is known already. */
export const start: Section = {
  name: 'start',
  title: 'Start',
  rows: [
    {
      name: '--version',
      does: 'prints the version',
      bars: [{ seconds: 0.1 }],
      async play({ tool, time }) {
        // A scanner is compared in a section of its own.
        if (tool.pull) for (let count = 0; count < 5; count++) await time(tool.about)
      },
    },
    {
      name: 'ps',
      does: 'lists the running containers of a store without any',
      bars: [{ seconds: 0.06 }, { ratio: 2.2, of: 'podman' }],
      image: 'absent',
      async play({ tool, time }) {
        if (tool.containers) for (let count = 0; count < 5; count++) await time(tool.containers())
      },
    },
    {
      name: 'images',
      does: 'lists the images of a store with one',
      bars: [{ seconds: 0.06 }],
      image: 'present',
      async play({ tool, time }) {
        if (tool.images) for (let count = 0; count < 5; count++) await time(tool.images())
      },
    },
  ],
}
