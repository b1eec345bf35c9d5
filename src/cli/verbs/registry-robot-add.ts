import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'
import { lifetimeOf, readGrant } from './registry-accounts.ts'

export const verb = defineVerb({
  name: 'registry robot add',
  summary: 'Add an account for programs to a registry, and print its secret',
  usage: 'OWNER+NAME',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--grant <PATTERN=ROLE>', description: 'What it may do; it has no other rights', repeat: true },
    { flags: '--expires-in <PERIOD>', description: 'When its secret ends, such as 90d or 12h; never by default' },
  ],
  examples: [
    {
      command: "bale registry robot add --grant 'acme/**=write' acme+ci",
      explains: 'The secret is shown once; log in with acme+ci and the secret as password',
    },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const grants = (options.grant ?? []).map(readGrant)
    const lifetime = lifetimeOf(options.expiresIn)
    const secret = await admin.robots.add(args[0]!, { grants, lifetime })
    await io.print(secret)
    return 0
  },
})
