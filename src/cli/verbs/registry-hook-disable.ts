import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry hook disable',
  summary: 'Tell hooks of a registry nothing for some time',
  usage: 'NAME [NAME...]',
  arguments: { min: 1 },
  options: PLACE_OPTIONS,
  examples: [
    {
      command: 'bale registry hook disable scanner',
      explains: 'What happens meanwhile is not told later; what waits for it goes on waiting',
    },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    for (const name of args) {
      await admin.hooks.disable(name)
      await io.print(name)
    }
    return 0
  },
})
