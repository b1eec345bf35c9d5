import { newPassword } from '../terminal/new-password.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry user passwd',
  summary: 'Change the password of a registry user',
  usage: 'NAME',
  arguments: { min: 1, max: 1 },
  options: [...PLACE_OPTIONS, { flags: '--password-stdin', description: 'Read the password from standard input' }],
  examples: [
    {
      command: 'bale registry user passwd ann',
      explains: 'Asks for the new password; the old one stops working at once',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    const password = await newPassword(io, { fromInput: options.passwordStdin, signal })
    await using admin = await openAdmin(options, engine, io)
    await admin.users.setPassword(args[0]!, password)
    await io.print(args[0]!)
    return 0
  },
})
