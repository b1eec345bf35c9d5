import { eachName } from '../verb/each-name.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'volume rm',
  summary: 'Remove volumes with their data',
  usage: 'VOLUME [VOLUME...]',
  arguments: { min: 1 },
  options: [{ flags: '-f, --force', description: 'Do not fail if it does not exist' }],
  examples: [{ command: 'bale volume rm data', explains: 'Refused while a container mounts it' }],
  run: ({ args, options, engine, io }) => eachName(io, args, (name) => engine.volumes.remove(name, options)),
})
