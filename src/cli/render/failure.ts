import { getSystemErrorMessage } from 'node:util'
import { asError, BaleError, errnoOf, firstError, printable } from '#base'
import { phraseNextStep } from './next-step.ts'

/** An error as it is shown: the message, the next step and the hint; with debug also code, details, causes and stack. */
export function renderFailure(thrown: unknown, options: { debug?: boolean } = {}): string {
  const error = asError(firstError(thrown))
  const lines = [`bale: ${error.message}`]
  if (error instanceof BaleError) {
    const advice = [error.next && phraseNextStep(error.next), error.hint].filter(Boolean)
    if (advice.length > 0) lines.push(`hint: ${printable(advice.join('; '), 1000)}`)
    if (options.debug) lines.push(`code: ${error.code}`, `details: ${JSON.stringify(error.details)}`)
  } else if (systemRefusal(error) !== undefined) {
    lines[0] = `bale: ${systemRefusal(error)}`
    if (isDamage(error))
      lines.push("hint: a disk is damaged; the kernel's log (dmesg) tells which, `bale system check` what of the store")
  } else if (!options.debug) {
    lines[0] = `bale: unexpected failure: ${error.message}`
    lines.push('hint: run the command again with --debug and report its output')
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

/** `open /x: no such file or directory`: operating system errors are shown as reported, with the path; they are not bugs in bale. */
function systemRefusal(error: Error): string | undefined {
  const { syscall, path, dest, errno } = error as NodeJS.ErrnoException & { dest?: string }
  if (typeof errno !== 'number' || typeof syscall !== 'string') return undefined
  // A failing disk also shows in calls on open files.
  if (typeof path !== 'string' && !isDamage(error)) return undefined
  const places = [path, dest].flatMap((place) => (typeof place === 'string' ? printable(place) : []))
  return `${[syscall, ...places].join(' ')}: ${getSystemErrorMessage(-Math.abs(errno)) ?? error.message}`
}

/** The error codes of file systems on a damaged disk. */
function isDamage(error: Error): boolean {
  return ['EIO', 'EUCLEAN', 'EBADMSG'].includes(errnoOf(error) ?? '')
}
