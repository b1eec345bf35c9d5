import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry token rm',
  summary: 'Remove access tokens of a user or robot',
  usage: 'ACCOUNT LABEL [LABEL...]',
  arguments: { min: 2 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry token rm ann laptop', explains: 'It stops working at once' }],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const [account, ...labels] = args as [string, ...string[]]
    for (const label of labels) {
      await admin.accessTokens.remove(account, label)
      await io.print(label)
    }
    return 0
  },
})
