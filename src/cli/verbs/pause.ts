import { eachName } from '../verb/each-name.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'pause',
  summary: 'Pause all processes of containers',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [],
  examples: [{ command: 'bale pause web', explains: 'Nothing in it runs until it is unpaused' }],
  run: ({ args, engine, io }) => eachName(io, args, (name) => engine.containers.pause(name), { together: true }),
})
