import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry revoke',
  summary: 'Revoke rights given by registry grant',
  usage: 'ACCOUNT PATTERN',
  arguments: { min: 2, max: 2 },
  options: PLACE_OPTIONS,
  examples: [{ command: "bale registry revoke ann 'team/*'", explains: 'The pattern exactly as it was granted' }],
  async run({ args, options, engine, io }) {
    const [user, pattern] = args as [string, string]
    await using admin = await openAdmin(options, engine, io)
    await admin.users.revoke(user, pattern)
    await io.print(`${user} ${pattern}`)
    return 0
  },
})
