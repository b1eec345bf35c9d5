/**
 * The argument as a JSON array of strings (the exec form). Undefined when it is not valid JSON: then it silently is the
 * shell form, as in every builder. An array with something else than strings is an error: the writer meant the exec form.
 */
export function parseJsonForm(
  argument: string,
): { form: 'none' } | { form: 'json'; words: string[] } | { form: 'wrong' } {
  if (!argument.startsWith('[')) return { form: 'none' }
  let value: unknown
  try {
    value = JSON.parse(argument)
  } catch (error) {
    if (error instanceof SyntaxError) return { form: 'none' }
    throw error
  }
  if (!Array.isArray(value)) return { form: 'none' }
  return value.every((word) => typeof word === 'string') ? { form: 'json', words: value } : { form: 'wrong' }
}
