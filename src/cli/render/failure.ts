import { getSystemErrorMessage } from 'node:util'
import { asError, BaleError, printable } from '#base'

/** What people see of an error: the message, the hint; with debug also code, details, causes and stack. */
export function renderFailure(thrown: unknown, options: { debug?: boolean } = {}): string {
  const error = asError(firstOf(thrown))
  const lines = [`bale: ${error.message}`]
  if (error instanceof BaleError) {
    if (error.hint) lines.push(`hint: ${error.hint}`)
    if (options.debug) lines.push(`code: ${error.code}`, `details: ${JSON.stringify(error.details)}`)
  } else if (systemRefusal(error) !== undefined) {
    lines[0] = `bale: ${systemRefusal(error)}`
  } else if (!options.debug) {
    lines[0] = `bale: unexpected failure: ${error.message}`
    lines.push('hint: run the command again with --debug, and report what it prints')
  }
  if (options.debug) {
    let cause: unknown = error
    while (cause !== undefined) {
      lines.push(asError(cause).stack ?? String(cause))
      cause = asError(cause).cause
    }
  }
  return lines.join('\n')
}

/** `open /x: no such file or directory`: what the system refuses is told as it says it, with the path; it is no fault of ours. */
function systemRefusal(error: Error): string | undefined {
  const { syscall, path, dest, errno } = error as NodeJS.ErrnoException & { dest?: string }
  if (typeof errno !== 'number' || typeof path !== 'string' || typeof syscall !== 'string') return undefined
  const places = [path, dest].flatMap((place) => (typeof place === 'string' ? printable(place) : []))
  return `${syscall} ${places.join(' ')}: ${getSystemErrorMessage(errno) ?? error.message}`
}

/** When undoing failed as well, what went wrong first is what people must know. */
function firstOf(thrown: unknown): unknown {
  return thrown instanceof SuppressedError ? firstOf(thrown.suppressed) : thrown
}
