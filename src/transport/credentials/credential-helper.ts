import { BaleError, printable } from '#base'
import type { Credential } from './credential.ts'
import { serverAddress } from './registry-key.ts'

/** A program docker-credential-NAME. Source: docker-credential-helpers, the protocol over stdin and stdout. */
export interface CredentialHelper {
  get(registry: string): Promise<Credential | undefined>
  store(registry: string, credential: Credential): Promise<void>
  erase(registry: string): Promise<void>
}

export interface HelperOptions {
  /** Search path for helpers, colon-separated. */
  helperPath: string
  /** Environment of helpers (HOME, DBUS_SESSION_BUS_ADDRESS … are theirs to know). */
  env: Readonly<Record<string, string | undefined>>
  /** Milliseconds that a helper may take; it may ask its user for a password. */
  timeout?: number
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
/** A helper's way to say there is nothing, on stdout or stderr, with exit code 1. */
const NOT_FOUND = /credentials not found|no credentials (?:server URL|found)/i
/** The user name under which helpers keep an identity token. */
const TOKEN_USER = '<token>'

/**
 * A broken helper is CREDENTIALS_FAILED, never "no credentials": otherwise a pull would silently continue as another user.
 * Secrets travel over stdin and stdout only, and a helper's output is not quoted unless it failed, from stderr.
 */
export function credentialHelper(name: string, options: HelperOptions): CredentialHelper {
  if (!NAME.test(name)) {
    throw new BaleError('CREDENTIALS_FAILED', `"${printable(name, 80)}" is not the name of a credential helper`, {
      hint: 'credsStore and credHelpers hold the part after docker-credential-, without slashes',
    })
  }
  const program = `docker-credential-${name}`
  const run = async (verb: string, input: string) => {
    const { findProgram, runProgram } = await import('#host')
    const path = findProgram(program, options.helperPath)
    if (path === undefined) {
      throw new BaleError('CREDENTIALS_FAILED', `the credential helper ${program} is not in the PATH`, {
        hint: `install it, or remove "${name}" from docker's config.json`,
      })
    }
    const env = Object.fromEntries(
      Object.entries(options.env).filter((pair): pair is [string, string] => pair[1] !== undefined),
    )
    const signal = AbortSignal.timeout(options.timeout ?? 60_000)
    try {
      return await runProgram(path, [verb], { input, env: { ...env, PATH: options.helperPath }, signal })
    } catch (error) {
      const reason = signal.aborted ? 'does not answer' : 'cannot be run'
      throw new BaleError('CREDENTIALS_FAILED', `the credential helper ${program} ${reason}`, { cause: error })
    }
  }
  const failed = (verb: string, said: string) =>
    new BaleError(
      'CREDENTIALS_FAILED',
      `the credential helper ${program} failed to ${verb}: ${printable(said.trim(), 300)}`,
    )

  return {
    async get(registry) {
      const { code, stdout, stderr } = await run('get', serverAddress(registry))
      if (code === 0) return readAnswer(stdout, program)
      // On failure, stdout holds the message of helpers made with docker's library.
      if (NOT_FOUND.test(stdout) || NOT_FOUND.test(stderr)) return undefined
      throw failed('get', stderr || stdout)
    },
    async store(registry, credential) {
      const [username, secret] =
        credential.kind === 'password' ? [credential.username, credential.password] : [TOKEN_USER, credential.token]
      const input = JSON.stringify({ ServerURL: serverAddress(registry), Username: username, Secret: secret })
      const { code, stderr } = await run('store', input)
      if (code !== 0) throw failed('store', stderr || `exit code ${code}`)
    },
    async erase(registry) {
      const { code, stdout, stderr } = await run('erase', serverAddress(registry))
      if (code !== 0 && !NOT_FOUND.test(stdout) && !NOT_FOUND.test(stderr)) throw failed('erase', stderr || stdout)
    },
  }
}

function readAnswer(stdout: string, program: string): Credential | undefined {
  const refuse = () =>
    new BaleError('CREDENTIALS_FAILED', `the credential helper ${program} gave an answer that violates the protocol`)
  let answer: { Username?: unknown; Secret?: unknown } | null
  try {
    answer = JSON.parse(stdout)
  } catch (error) {
    if (error instanceof SyntaxError) throw refuse()
    throw error
  }
  const { Username: username, Secret: secret } = answer ?? {}
  if (typeof username !== 'string' || typeof secret !== 'string') throw refuse()
  if (username === '' && secret === '') return undefined
  if (username === TOKEN_USER) return { kind: 'identity-token', token: secret }
  return { kind: 'password', username, password: secret }
}
