import { BaleError, isBaleError } from '#base'
import type { Terminal } from '../terminal/terminal.ts'
import { renderFailure } from './failure.ts'
import { compileTemplate, goJson, type Template } from './go-template/index.ts'
import { notFoundWords } from './not-found-words.ts'

/** docker's exit code for a template that cannot be read, in all its inspect verbs and nowhere else. */
const BAD_TEMPLATE = 64

/**
 * Prints the results of `inspect` as docker does: an array of objects indented by four spaces, or the template once for each.
 * An object that was not found, or does not fit the template, is reported on stderr after the others; the exit code is 1 then. A template that
 * printed nothing leaves an empty line.
 */
export async function printInspected(
  io: Terminal,
  names: readonly string[],
  inspect: (name: string) => Promise<object>,
  format: string | undefined,
): Promise<number> {
  let template: Template | undefined
  try {
    template = !format || format === 'json' ? undefined : compileTemplate(format)
  } catch (error) {
    if (!isBaleError(error)) throw error
    io.warn(renderFailure(error))
    return BAD_TEMPLATE
  }
  const found: object[] = []
  const texts: string[] = []
  const failures: string[] = []
  for (const name of names) {
    const object = await inspect(name).catch((error: unknown) => {
      failures.push(`Error: ${known(notFoundWords(error, name)).message}`)
    })
    if (!object) continue
    found.push(object)
    try {
      if (template) texts.push(template(object))
    } catch (error) {
      failures.push(known(error).message)
    }
  }
  if (template) await io.print(texts.join('\n'))
  else if (format === 'json') await io.print(goJson(found))
  else await io.print(found.length === 0 ? '[]' : JSON.stringify(found, undefined, 4))
  for (const failure of failures) io.warn(failure)
  return failures.length > 0 ? 1 : 0
}

/** A failure with a message for users; any other ends the verb. */
function known(error: unknown): BaleError {
  if (!isBaleError(error)) throw error
  return error
}

/** The result of the first lookup that finds the object; docker's message when none does. */
export async function firstFound(
  name: string,
  ways: readonly ((name: string) => Promise<object>)[],
  notFound: readonly BaleError['code'][],
): Promise<object> {
  for (const way of ways) {
    try {
      return await way(name)
    } catch (error) {
      if (!notFound.some((code) => isBaleError(error, code))) throw error
    }
  }
  throw new BaleError('IMAGE_NOT_FOUND', `No such object: ${name}`)
}
