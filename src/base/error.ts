import { ERROR_CODES, type ErrorCode } from './error-codes.ts'
import type { NextStep } from './next-step.ts'

/** What a BaleError carries besides code and message. */
export interface BaleErrorOptions {
  /** Explains it (how a value is written, where to look), without naming verbs or flags. */
  hint?: string
  /** What can be done about it; doors phrase it. */
  next?: NextStep
  cause?: unknown
  /** Facts for programs (digest, path, line …). Values are shown by `--debug` and in API answers, so no secrets. */
  details?: Record<string, unknown>
}

/**
 * The one error class. The message is for people: what failed, on which thing. Secrets that commonly travel in
 * messages (user:password@ in URLs, Authorization values, tokens in queries) are blanked here, in one place.
 */
export class BaleError extends Error {
  override readonly name = 'BaleError'
  /** What went wrong, for programs. */
  readonly code: ErrorCode
  /** Explains it; undefined when there is nothing to add. */
  readonly hint: string | undefined
  /** What can be done about it. */
  readonly next: NextStep | undefined
  /** Facts for programs: digest, path, line. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: BaleErrorOptions = {}) {
    super(withoutSecrets(message), options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint === undefined ? undefined : withoutSecrets(options.hint)
    this.next = options.next
    this.details = Object.freeze({ ...options.details })
  }

  /** Status of the Docker Engine API for this failure. */
  get httpStatus(): number {
    return ERROR_CODES[this.code].http
  }
}

/** Whether something thrown is a BaleError, of this code when one is given. */
export function isBaleError(error: unknown, code?: ErrorCode): error is BaleError {
  return error instanceof BaleError && (code === undefined || error.code === code)
}

/** docker's 127 or 126 for a command that does not exist or cannot be executed; undefined for every other failure. */
export function commandExitCode(error: unknown): 126 | 127 | undefined {
  if (!isBaleError(error)) return undefined
  const entry = ERROR_CODES[error.code]
  return 'commandExit' in entry ? entry.commandExit : undefined
}

/** Turns anything thrown into an Error with a readable message. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/** The errno name (`ENOENT`) of a Node system error, or undefined. */
export function errnoOf(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}

/** Text without logins in URLs (also a user name alone: many are tokens), tokens and signatures. */
export function withoutSecrets(text: string): string {
  return (
    text
      // Of the scheme, the last character is enough: looking for its beginning would take quadratic time on long words.
      .replace(/([a-z0-9+.-]:\/\/)[^/?#\s"'`\\]*@/gi, '$1***@')
      .replace(/\b(Basic|Bearer)\s+[A-Za-z0-9._~+/=-]{8,}/g, '$1 ***')
      .replace(/([?&](?:token|access_token|password|signature|X-Amz-Signature|X-Amz-Credential)=)[^&\s]+/gi, '$1***')
  )
}

/** Makes text from outside (file names, server answers) safe to print: control characters become \xNN, long text is cut. */
export function printable(text: string, limit = 512): string {
  const escaped = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const value = character.charCodeAt(0)
    return value < 0x100 ? `\\x${value.toString(16).padStart(2, '0')}` : `\\u${value.toString(16).padStart(4, '0')}`
  })
  return escaped.length > limit ? `${escaped.slice(0, limit)}…` : escaped
}
