import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS, type Role } from './registry.ts'
import { lifetimeOf } from './registry-accounts.ts'

export const verb = defineVerb({
  name: 'registry token add',
  summary: 'Add an access token to a user or robot, and print its secret',
  usage: 'ACCOUNT LABEL',
  arguments: { min: 2, max: 2 },
  options: [
    ...PLACE_OPTIONS,
    {
      flags: '--role <ROLE>',
      description: 'It gives no more than this',
      choices: ['read', 'write', 'delete', 'admin'],
    },
    { flags: '--repositories <PATTERN>', description: 'It gives rights in these repositories alone' },
    { flags: '--expires-in <PERIOD>', description: 'When it ends, such as 90d or 12h; never by default' },
  ],
  examples: [
    {
      command: "bale registry token add --role read --repositories 'acme/*' --expires-in 90d ann laptop",
      explains: 'The secret is shown once; it takes the place of the password',
    },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const [account, label] = args as [string, string]
    const { role, repositories: pattern } = options
    const lifetime = lifetimeOf(options.expiresIn)
    // The choices of the flag are the roles.
    const secret = await admin.accessTokens.add(account, label, { role: role as Role | undefined, pattern, lifetime })
    await io.print(secret)
    return 0
  },
})
