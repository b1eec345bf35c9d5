import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'
import { groupTable } from './registry-accounts.ts'

export const verb = defineVerb({
  name: 'registry org ls',
  summary: 'List the organisations of a registry, their members, and what each member may do',
  arguments: { max: 0 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry org ls', explains: 'A star marks owners' }],
  async run({ options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    await io.print(groupTable(await admin.organisations.list()))
    return 0
  },
})
