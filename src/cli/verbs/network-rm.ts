import { eachName } from '../verb/each-name.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'network rm',
  summary: 'Remove networks',
  usage: 'NETWORK [NETWORK...]',
  arguments: { min: 1 },
  options: [{ flags: '-f, --force', description: 'Do not fail if it does not exist' }],
  examples: [{ command: 'bale network rm app', explains: 'Refused while running containers are connected' }],
  run: ({ args, options, engine, io }) => eachName(io, args, (name) => engine.networks.remove(name, options)),
})
