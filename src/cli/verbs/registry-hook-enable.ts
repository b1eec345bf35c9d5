import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry hook enable',
  summary: 'Tell hooks of a registry again what changes',
  usage: 'NAME [NAME...]',
  arguments: { min: 1 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry hook enable scanner', explains: 'From now on, and what still waits' }],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    for (const name of args) {
      await admin.hooks.enable(name)
      await io.print(name)
    }
    return 0
  },
})
