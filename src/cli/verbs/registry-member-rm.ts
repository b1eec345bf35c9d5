import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry member rm',
  summary: 'Remove members from an organisation and its teams, or from a team',
  usage: 'GROUP NAME [NAME...]',
  arguments: { min: 2 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry member rm acme bob', explains: 'bob leaves the teams of acme, too' }],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const [group, ...names] = args as [string, ...string[]]
    for (const name of names) {
      await admin.organisations.removeMember(group, name)
      await io.print(name)
    }
    return 0
  },
})
