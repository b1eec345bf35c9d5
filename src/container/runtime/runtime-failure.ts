import { BaleError, printable } from '#base'

/**
 * Makes an error of the message of runc or crun when a process cannot be started: the part that failed decides docker's exit
 * code (127 not found, 126 not executable, 125 all else). Source: measured answers of runc 1.1 and crun 1.8.
 */
export function runtimeFailure(text: string, action: 'create' | 'exec' | 'start'): BaleError {
  const message = `OCI runtime ${action} failed: ${printable(inKnownWords(text.trim()), 2000)}`
  if (NOT_FOUND.test(text)) return new BaleError('COMMAND_NOT_FOUND', message)
  // docker distinguishes the two: a working directory that cannot be entered is 126 in exec and 125 in run.
  const isExecutable = !NOT_EXECUTABLE.test(text) && !(action === 'exec' && NO_DIRECTORY.test(text))
  if (!isExecutable) return new BaleError('COMMAND_NOT_EXECUTABLE', message)
  return new BaleError('RUNTIME_FAILED', message)
}

/** Turns crun's message about a command into runc's, which scripts look for. Other messages are unchanged. */
function inKnownWords(text: string): string {
  const [, missing] = /executable file `([^`]*)` not found/.exec(text) ?? []
  const [, barred] = /the path `([^`]*)` exists but it is not executable/.exec(text) ?? []
  const START = 'unable to start container process: exec:'
  if (missing?.includes('/')) return `${START} "${missing}": stat ${missing}: no such file or directory`
  if (missing !== undefined) return `${START} "${missing}": executable file not found in $PATH`
  return barred === undefined ? text : `${START} "${barred}": permission denied`
}

const NOT_FOUND =
  /exec: "[^"]*": (?:executable file not found in \$PATH|stat [^:]*: no such file or directory)|executable file `[^`]*` not found|open executable: No such file or directory/
const NOT_EXECUTABLE =
  /exec: "[^"]*": (?:permission denied|is a directory)|open executable: (?:Permission denied|Operation not permitted|Is a directory)|the path `[^`]*` exists but it is not executable/
const NO_DIRECTORY = /chdir to cwd|chdir `[^`]*`/
