import { printInspected } from '../render/inspected.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'network inspect',
  summary: 'Show details of networks as JSON',
  usage: 'NETWORK [NETWORK...]',
  arguments: { min: 1 },
  options: [{ flags: '-f, --format <TEMPLATE>', description: "'json', or a Go template" }],
  examples: [{ command: 'bale network inspect app', explains: 'Its range and the connected containers' }],
  run: ({ args, options, engine, io }) =>
    printInspected(io, args, (name) => engine.networks.inspect(name), options.format),
})
