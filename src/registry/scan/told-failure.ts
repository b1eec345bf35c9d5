import { asError, BaleError, ERROR_CODES, type ErrorCode, isBaleError, printable } from '#base'
import { parseJson } from '#spec'

const LONGEST = 1000

/** A failure as it travels between processes. */
export function failureText(thrown: unknown): string {
  const message = printable(asError(thrown).message, LONGEST)
  return JSON.stringify(isBaleError(thrown) ? { code: thrown.code, message } : { message })
}

/** The failure that another process told of. Whatever it said, this is an error. */
export function toldFailure(bytes: Uint8Array): Error {
  const told = parseJson(Buffer.from(bytes).toString())
  const { code, message }: Record<string, unknown> = typeof told === 'object' && told !== null ? { ...told } : {}
  const text = printable(String(message), LONGEST)
  return isCode(code) ? new BaleError(code, text) : new Error(text)
}

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERROR_CODES, code)
