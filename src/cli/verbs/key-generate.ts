import { newPassword } from '../terminal/new-password.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'key generate',
  summary: 'Make a pair of keys to sign images with',
  usage: '[NAME]',
  arguments: { max: 1 },
  options: [
    {
      flags: '--type <TYPE>',
      description: 'ecdsa (P-256) or ed25519',
      default: 'ecdsa',
      choices: ['ecdsa', 'ed25519'],
    },
    { flags: '--password-stdin', description: 'Read a password for the private key from standard input' },
    { flags: '--no-password', description: 'Do not encrypt the private key' },
  ],
  examples: [
    {
      command: 'bale key generate --no-password release',
      explains: 'Writes release.key, which is secret, and release.pub',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    const name = args[0] ?? 'bale'
    const password = options.noPassword
      ? undefined
      : await newPassword(io, { fromInput: options.passwordStdin, signal })
    const { privateKey, publicKey } = await engine.trust.generateKeys(name, { kind: options.type, password })
    await io.print(`${privateKey}: the private key, to be kept secret`)
    await io.print(`${publicKey}: the public key, for all who verify`)
    return 0
  },
})
