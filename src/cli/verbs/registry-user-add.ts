import { newPassword } from '../terminal/new-password.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry user add',
  summary: 'Add a user to a registry on this machine',
  usage: 'NAME',
  arguments: { min: 1, max: 1 },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--password-stdin', description: 'Read the password from standard input' },
    { flags: '--adopt', description: 'Also make the user admin of repositories that exist below NAME' },
    { flags: '--admin', description: 'Give the user all rights on all repositories' },
  ],
  examples: [
    {
      command: 'bale registry user add ann',
      explains: 'Asks for the password; ann may push to ann/… and nowhere else',
    },
    { command: 'bale registry user add root --admin --password-stdin < password.txt', explains: 'For scripts' },
  ],
  async run({ args, options, engine, io, signal }) {
    const password = await newPassword(io, { fromInput: options.passwordStdin, signal })
    await using admin = await openAdmin(options, engine, io)
    await admin.users.add(args[0]!, password, { admin: options.admin, adopt: options.adopt })
    await io.print(args[0]!)
    return 0
  },
})
