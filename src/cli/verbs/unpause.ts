import { eachName } from '../verb/each-name.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'unpause',
  summary: 'Resume paused containers',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [],
  examples: [{ command: 'bale unpause web', explains: 'It resumes where it was paused' }],
  run: ({ args, engine, io }) => eachName(io, args, (name) => engine.containers.unpause(name), { together: true }),
})
