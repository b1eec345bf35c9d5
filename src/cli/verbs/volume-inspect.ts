import { printInspected } from '../render/inspected.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'volume inspect',
  summary: 'Show details of volumes as JSON',
  usage: 'VOLUME [VOLUME...]',
  arguments: { min: 1 },
  options: [{ flags: '-f, --format <TEMPLATE>', description: "'json', or a Go template" }],
  examples: [{ command: `bale volume inspect -f '{{.Mountpoint}}' data`, explains: 'Where its files are' }],
  run: ({ args, options, engine, io }) =>
    printInspected(io, args, (name) => engine.volumes.inspect(name), options.format),
})
