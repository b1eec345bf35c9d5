import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry user logout',
  summary: 'End the logins of registry users, wherever their clients keep them',
  usage: 'NAME [NAME...]',
  arguments: { min: 1 },
  options: PLACE_OPTIONS,
  examples: [
    {
      command: 'bale registry user logout ann',
      explains: 'After a laptop was lost: tokens end at once; the password and access tokens stay',
    },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    for (const name of args) {
      await admin.users.logOut(name)
      await io.print(name)
    }
    return 0
  },
})
