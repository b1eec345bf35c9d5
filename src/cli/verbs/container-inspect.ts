import { printInspected } from '../render/inspected.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'container inspect',
  summary: 'Show everything about containers as JSON',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [
    { flags: '-f, --format <TEMPLATE>', description: "'json', or a Go template" },
    { flags: '-s, --size', description: 'Count what they have written' },
  ],
  examples: [{ command: `bale container inspect -f '{{.State.Pid}}' web`, explains: 'One member' }],
  run: ({ args, options, engine, io }) =>
    printInspected(io, args, (name) => engine.containers.inspect(name, { size: options.size }), options.format),
})
