import { createLimiter } from '#base'
import { renderFailure } from '../render/failure.ts'
import { notFoundWords } from '../render/not-found-words.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** docker's number: enough that many slow ends wait together. */
const AT_ONCE = 50

/**
 * Does one thing with each name and prints the name, or what the act answers ('' for nothing), in the order of the names.
 * With `together` they do not wait for each other. A failure is reported and the others go on; 1 when any failed.
 */
export async function eachName(
  io: Terminal,
  names: readonly string[],
  act: (name: string) => Promise<unknown>,
  { together = false }: { together?: boolean } = {},
): Promise<number> {
  const limited = createLimiter(together ? AT_ONCE : 1)
  const outcomes = names.map((name) =>
    limited(() => act(name)).then(
      (said) => ({ said }),
      (error: unknown) => ({ error }),
    ),
  )
  let code = 0
  for (const [index, name] of names.entries()) {
    const outcome = await outcomes[index]!
    if ('error' in outcome) {
      io.warn(renderFailure(notFoundWords(outcome.error, name)))
      code = 1
    } else if (outcome.said !== '') await io.print(typeof outcome.said === 'string' ? outcome.said : name)
  }
  return code
}
