import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry team rm',
  summary: 'Remove teams of a registry',
  usage: 'ORGANISATION/TEAM [ORGANISATION/TEAM...]',
  arguments: { min: 1 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry team rm acme/web', explains: 'Its members keep what they have otherwise' }],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    for (const name of args) {
      await admin.organisations.removeTeam(name)
      await io.print(name)
    }
    return 0
  },
})
