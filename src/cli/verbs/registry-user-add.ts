import { BaleError } from '#base'
import { readTextSync } from '#engine'
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
    {
      flags: '--bootstrap-token-file <FILE>',
      description:
        'File with the bootstrap token of a --server without users: makes its first administrator without a login',
    },
  ],
  examples: [
    {
      command: 'bale registry user add ann',
      explains: 'Asks for the password; ann may push to ann/… and nowhere else',
    },
    { command: 'bale registry user add root --admin --password-stdin < password.txt', explains: 'For scripts' },
    {
      command: 'bale registry user add root --admin --server https://registry.example --bootstrap-token-file token.txt',
      explains: 'The first administrator of a registry whose configuration has login.bootstrap-token-file',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    const token = bootstrapToken(options)
    const password = await newPassword(io, { fromInput: options.passwordStdin, signal })
    if (token !== undefined) {
      await engine.registries.makeFirstAdministrator(options.server!, { token, name: args[0]!, password, signal })
      await io.print(args[0]!)
      return 0
    }
    await using admin = await openAdmin(options, engine, io)
    await admin.users.add(args[0]!, password, { admin: options.admin, adopt: options.adopt })
    await io.print(args[0]!)
    return 0
  },
})

interface BootstrapOptions {
  bootstrapTokenFile?: string
  server?: string
  admin?: boolean
  adopt?: boolean
}

function bootstrapToken({ bootstrapTokenFile: file, ...options }: BootstrapOptions): string | undefined {
  if (file === undefined) return undefined
  if (options.server === undefined || !options.admin || options.adopt) {
    throw new BaleError('INVALID_ARGUMENT', '--bootstrap-token-file needs --server and --admin, and takes no --adopt')
  }
  try {
    return readTextSync(file).replace(/\r?\n$/, '')
  } catch (error) {
    throw new BaleError('PATH_NOT_FOUND', `the bootstrap token cannot be read from ${file}`, { cause: error })
  }
}
