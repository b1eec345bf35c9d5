import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry team add',
  summary: 'Add a team to an organisation of a registry',
  usage: 'ORGANISATION/TEAM',
  arguments: { min: 1, max: 1 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry team add acme/web', explains: 'Its members get what is granted to acme/web' }],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    await admin.organisations.addTeam(args[0]!)
    await io.print(args[0]!)
    return 0
  },
})
