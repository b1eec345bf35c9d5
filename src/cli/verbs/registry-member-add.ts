import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry member add',
  summary: 'Add users to an organisation, or members of an organisation and its robots to a team',
  usage: 'GROUP NAME [NAME...]',
  arguments: { min: 2 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--owner', description: 'They may do everything in the repositories of the organisation' },
  ],
  examples: [
    { command: 'bale registry member add acme ann bob', explains: 'Members have what is granted to acme' },
    { command: 'bale registry member add acme/web bob acme+ci', explains: 'A user and a robot in a team' },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const [group, ...names] = args as [string, ...string[]]
    for (const name of names) {
      await admin.organisations.setMember(group, name, options.owner ? 'owner' : 'member')
      await io.print(name)
    }
    return 0
  },
})
