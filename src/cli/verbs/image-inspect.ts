import { printInspected } from '../render/inspected.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'image inspect',
  summary: 'Show details of images as JSON',
  usage: 'IMAGE [IMAGE...]',
  arguments: { min: 1 },
  options: [
    { flags: '-f, --format <TEMPLATE>', description: "'json', or a Go template" },
    { flags: '--platform <OS/ARCH>', description: 'Platform to choose from an image index' },
  ],
  examples: [
    { command: 'bale image inspect webserver', explains: 'All of it' },
    { command: `bale image inspect -f '{{json .Config.Env}}' webserver`, explains: 'One part' },
  ],
  run: ({ args, options, engine, io }) =>
    printInspected(io, args, (name) => engine.images.inspect(name, options), options.format),
})
