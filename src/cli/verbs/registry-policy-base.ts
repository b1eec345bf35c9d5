import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry policy base',
  summary: 'Say which images of a registry others in it may be built on',
  usage: 'PATTERN',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    {
      flags: '--allow <IMAGE>',
      description: 'Take images based on these alone; may be given several times',
      repeat: true,
    },
    {
      flags: '--block <IMAGE>',
      description: 'Never take images based on these; may be given several times',
      repeat: true,
    },
  ],
  examples: [
    {
      command: "bale registry policy base 'prod/**' --allow base/debian:12 --allow base/alpine:3",
      explains: 'Pushed images must begin with the layers of one of these, as it is at that moment',
    },
    {
      command: `bale registry policy base '**' --block base/debian@sha256:${'0123456789abcdef'.repeat(4)}`,
      explains: 'One that must not be built on any more; it may be deleted afterwards',
    },
  ],
  async run({ args, options, engine, io }) {
    const { allow, block } = options
    await using admin = await openAdmin(options, engine, io)
    await io.print(String(await admin.policies.base(args[0]!, { allow, block })))
    return 0
  },
})
