import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'
import { groupTable } from './registry-accounts.ts'

export const verb = defineVerb({
  name: 'registry team ls',
  summary: 'List teams, their members and rights',
  usage: '[ORGANISATION]',
  arguments: { max: 1 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry team ls acme', explains: 'Teams of acme alone' }],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    await io.print(groupTable(await admin.organisations.listTeams(args[0])))
    return 0
  },
})
