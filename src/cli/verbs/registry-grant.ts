import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry grant',
  summary: 'Give a user, team, organisation or robot rights on repositories of a registry',
  usage: 'ACCOUNT PATTERN ROLE',
  arguments: { min: 3, max: 3 },
  options: PLACE_OPTIONS,
  examples: [
    {
      command: "bale registry grant ann 'team/*' write",
      explains: 'ann may pull from and push to team/web, not team/a/b',
    },
    { command: "bale registry grant bob 'team/**' read", explains: 'bob may pull everything below team' },
    {
      command: 'bale registry grant acme/web "acme/web/**" delete',
      explains: 'Members of this team may also delete there',
    },
  ],
  async run({ args, options, engine, io }) {
    const [user, pattern, role] = args as [string, string, string]
    await using admin = await openAdmin(options, engine, io)
    // The registry checks the role; here it is still text.
    await admin.users.grant(user, pattern, role as 'read')
    await io.print(`${user} ${pattern} ${role}`)
    return 0
  },
})
