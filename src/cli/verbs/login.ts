import { BaleError, isBaleError } from '#base'
import type { Login } from '#engine'
import type { OptionsOf, VerbOption } from '../flags/verb-option.ts'
import { askLine, askSecret, readSecret } from '../terminal/ask.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { warnOfVariable } from '../terminal/warn-of-variable.ts'
import { defineVerb } from '../verb/verb.ts'

const OPTIONS = [
  { flags: '-u, --username <NAME>', description: 'User name' },
  { flags: '-p, --password <WORD>', description: 'Password; other users of this machine can see it' },
  { flags: '--password-stdin', description: 'Read the password from standard input' },
  {
    flags: '--device',
    description:
      'Log in with a browser, on any machine: prints an address and a code, and waits until it is allowed there',
  },
] as const satisfies readonly VerbOption[]

type Options = OptionsOf<typeof OPTIONS>

export const verb = defineVerb({
  name: 'login',
  summary: 'Log in to a registry',
  usage: '[REGISTRY]',
  arguments: { max: 1 },
  options: OPTIONS,
  examples: [
    { command: 'bale login localhost:5000', explains: 'Asks for name and password' },
    { command: 'bale login -u ann --password-stdin localhost:5000 < password.txt', explains: 'For scripts' },
    {
      command: 'bale login --device registry.example',
      explains:
        'Without a password here: somebody who is logged in there with a browser allows it (registries of bale)',
    },
  ],
  async run({ args, options, engine, io, signal }) {
    const server = args[0]
    checkFlags(options)
    if (options.device) return await loginByDevice()
    if (options.password !== undefined) {
      io.warn('WARNING! Using --password via the CLI is insecure. Use --password-stdin.')
    } else if (options.username === undefined && !options.passwordStdin) {
      // docker's order: stored logins are tried before prompting.
      if (await loginAgain()) return 0
    }
    const username = options.username ?? (await askName(io, signal))
    const password = options.password ?? (await (options.passwordStdin ? readSecret(io) : askPassword(io, signal)))
    await tellOf(await engine.registries.login(server, { username, password, signal }), 'password')
    return 0

    async function loginByDevice(): Promise<number> {
      const login = await engine.registries.deviceLogin(server, {
        signal,
        async show({ address, code, whole }) {
          await io.print(`Open ${address} in a browser, and type the code ${code}`)
          if (whole !== undefined) await io.print(`or open ${whole}`)
        },
      })
      await io.print(`Logged in as ${login.username}`)
      await tellOf(login, 'token')
      return 0
    }

    async function tellOf({ storedIn, variable }: Login, what: string): Promise<void> {
      if (variable) warnOfVariable(io, variable)
      if (storedIn.kind === 'file') {
        io.warn(`WARNING! Your ${what} will be stored unencrypted in ${storedIn.path}.`)
        io.warn("A credential helper removes this warning: credsStore in docker's config.json.")
      }
      await io.print('Login Succeeded')
    }

    async function loginAgain(): Promise<boolean> {
      try {
        const known = await engine.registries.checkLogin(server, { signal })
        if (!known) return false
        io.warn('Authenticating with existing credentials...')
        await io.print('Login Succeeded')
        return true
      } catch (error) {
        if (!isBaleError(error, 'UNAUTHORIZED')) throw error
        io.warn(`Login did not succeed, error: ${error.message}`)
        return false
      }
    }
  },
})

function checkFlags({ username, password, passwordStdin, device }: Options): void {
  if (device && (username !== undefined || password !== undefined || passwordStdin)) {
    throw new BaleError(
      'INVALID_ARGUMENT',
      '--device excludes --username, --password and --password-stdin: the browser says who it is',
    )
  }
  if (!passwordStdin) return
  if (password !== undefined) {
    throw new BaleError('INVALID_ARGUMENT', '--password and --password-stdin are mutually exclusive')
  }
  if (!username) throw new BaleError('INVALID_ARGUMENT', 'Must provide --username with --password-stdin')
}

async function askName(io: Terminal, signal: AbortSignal): Promise<string> {
  requireTerminal(io)
  const name = (await askLine(io, 'Username: ', signal)).trim()
  if (name === '') throw new BaleError('INVALID_ARGUMENT', 'username is required')
  return name
}

async function askPassword(io: Terminal, signal: AbortSignal): Promise<string> {
  requireTerminal(io)
  const password = await askSecret(io, 'Password: ', signal)
  if (password === '') throw new BaleError('INVALID_ARGUMENT', 'password is required')
  return password
}

function requireTerminal(io: Terminal): void {
  if (io.stdin.isTTY) return
  throw new BaleError('INVALID_ARGUMENT', 'Cannot perform an interactive login from a non TTY device', {
    hint: 'bale login -u NAME --password-stdin REGISTRY < FILE',
  })
}
