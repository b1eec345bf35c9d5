import { eachName } from '../verb/each-name.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'kill',
  summary: 'Send a signal to running containers',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [{ flags: '-s, --signal <SIGNAL>', description: 'Signal to send, by name or number', default: 'KILL' }],
  examples: [{ command: 'bale kill -s HUP web', explains: 'Make a server reload its configuration' }],
  run: ({ args, options, engine, io }) =>
    eachName(io, args, (name) => engine.containers.kill(name, options.signal), { together: true }),
})
