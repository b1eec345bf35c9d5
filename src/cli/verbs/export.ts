import { openOutput, pourInto } from '#engine'
import { outputTarget } from '../terminal/output-target.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'export',
  summary: 'Export the filesystem of a container as a tar archive',
  usage: 'CONTAINER',
  arguments: { min: 1, max: 1 },
  options: [{ flags: '-o, --output <FILE>', description: 'Write to a file instead of standard output' }],
  examples: [{ command: 'bale export web > web.tar', explains: 'Import it: bale import web.tar' }],
  writesData: true,
  async run({ args, options, engine, io, signal }) {
    const target = outputTarget(options.output, io)
    const tar = await engine.containers.export(args[0]!, { reuse: true })
    await using output = await openOutput(target)
    await pourInto(output, tar, { signal, ahead: true })
    return 0
  },
})
