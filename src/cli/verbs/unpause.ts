import { eachName } from '../verb/each-name.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'unpause',
  summary: 'Let paused containers go on',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [],
  examples: [{ command: 'bale unpause web', explains: 'Where it was frozen' }],
  run: ({ args, engine, io }) => eachName(io, args, (name) => engine.containers.unpause(name), { together: true }),
})
