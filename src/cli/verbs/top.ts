import { alignColumns } from '../render/align-columns.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'top',
  summary: 'Show the processes of a container',
  usage: 'CONTAINER [PS OPTIONS]',
  arguments: { min: 1 },
  passThrough: true,
  options: [],
  examples: [{ command: 'bale top web -o pid,rss,args', explains: 'With columns of your choice' }],
  async run({ args, engine, io }) {
    const { titles, rows } = await engine.containers.top(args[0]!, args.slice(1))
    await io.write(alignColumns([titles, ...rows].map((row) => `${row.join('\t')}\n`).join('')))
    return 0
  },
})
