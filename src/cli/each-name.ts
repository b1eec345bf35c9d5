import { notFoundWords } from './not-found.ts'
import { renderFailure } from './render/failure.ts'
import type { Terminal } from './verb.ts'

/**
 * Does one thing with each name and prints the name, or what the act answers ('' for nothing). Failures are told, the
 * others go on; 1 when any failed.
 */
export async function eachName(
  io: Terminal,
  names: readonly string[],
  act: (name: string) => Promise<unknown>,
): Promise<number> {
  let code = 0
  for (const name of names) {
    try {
      const said = await act(name)
      if (said !== '') await io.print(typeof said === 'string' ? said : name)
    } catch (error) {
      io.warn(renderFailure(notFoundWords(error, name)))
      code = 1
    }
  }
  return code
}
