import type { Terminal } from './terminal.ts'

/** In docker's words: a login or logout changes nothing for registries that the variable holds a login for. */
export function warnOfVariable(io: Pick<Terminal, 'warn'>, variable: string): void {
  io.warn(`WARNING: ${variable} is set and takes precedence.`)
  io.warn(`Unset ${variable} to use the stored logins.`)
}
