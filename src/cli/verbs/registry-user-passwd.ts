import { changedPassword, newPassword } from '../terminal/new-password.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry user passwd',
  summary: 'Change the password of a registry user',
  usage: 'NAME',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    {
      flags: '--password-stdin',
      description: "Read the password from standard input; for one's own at a --server, the old one on a line before",
    },
  ],
  examples: [
    {
      command: 'bale registry user passwd ann',
      explains: 'Asks for the new password; the old one stops working at once',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    await using admin = await openAdmin(options, engine, io)
    // Administrators need no old password, and whoever has the data is one.
    const needsOld = (await admin.me?.())?.admin === false
    const from = { fromInput: options.passwordStdin, signal }
    const { old, password } = needsOld
      ? await changedPassword(io, from)
      : { old: undefined, password: await newPassword(io, from) }
    await admin.users.setPassword(args[0]!, password, { old })
    await io.print(args[0]!)
    return 0
  },
})
