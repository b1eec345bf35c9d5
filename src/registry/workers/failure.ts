import { asError, BaleError } from '#base'
import type { Failure } from './messages.ts'

/** An error as plain values. */
export function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof BaleError)) return { message: asError(thrown).message }
  const { message, code, hint, next } = thrown
  return { message, code, hint, next }
}

/** The error of such values, thrown in another process. */
export function errorOf({ message, code, hint, next }: Failure): Error {
  return code === undefined ? new Error(message) : new BaleError(code, message, { hint, next })
}
