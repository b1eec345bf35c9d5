import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry policy types',
  summary: 'Say which media types repositories of a registry take',
  usage: 'PATTERN',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--allow <TYPE>', description: 'Take these alone; may be given several times', repeat: true },
    { flags: '--block <TYPE>', description: 'Never take these; may be given several times', repeat: true },
  ],
  examples: [
    {
      command:
        "bale registry policy types 'prod/**' --allow 'application/vnd.oci.image.*' --allow 'application/vnd.docker.*'",
      explains: 'Images alone: types of the manifest, artifact, config and layers; a star stands for anything',
    },
    {
      command: "bale registry policy types '**' --block '*.nondistributable.*'",
      explains: 'No layers that are stored elsewhere',
    },
  ],
  async run({ args, options, engine, io }) {
    const { allow, block } = options
    await using admin = await openAdmin(options, engine, io)
    await io.print(String(await admin.policies.types(args[0]!, { allow, block })))
    return 0
  },
})
