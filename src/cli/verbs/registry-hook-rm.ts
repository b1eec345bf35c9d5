import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry hook rm',
  summary: 'Remove hooks of a registry, with what they were still to be told',
  usage: 'NAME [NAME...]',
  arguments: { min: 1 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry hook rm scanner', explains: 'Nothing more is delivered' }],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    for (const name of args) {
      await admin.hooks.remove(name)
      await io.print(name)
    }
    return 0
  },
})
