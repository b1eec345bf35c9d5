import { printInspected } from '../render/inspected.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'container inspect',
  summary: 'Show details of containers as JSON',
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  options: [
    { flags: '-f, --format <TEMPLATE>', description: "'json', or a Go template" },
    { flags: '-s, --size', description: 'Also show the sizes of the containers' },
  ],
  examples: [{ command: `bale container inspect -f '{{.State.Pid}}' web`, explains: 'One member' }],
  run: ({ args, options, engine, io }) =>
    printInspected(io, args, (name) => engine.containers.inspect(name, { size: options.size }), options.format),
})
