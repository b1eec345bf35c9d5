import { BaleError } from '#base'

/** `--filter key=value`, repeated: key -> values. Unknown keys are refused by name, as docker does. */
export function parseFilters(words: readonly string[] | undefined, known: readonly string[]): Map<string, string[]> {
  const filters = new Map<string, string[]>()
  for (const word of words ?? []) {
    const at = word.indexOf('=')
    if (at < 1) {
      throw new BaleError('INVALID_ARGUMENT', `bad format of filter (expected name=value): ${word}`)
    }
    const key = word.slice(0, at).trim().toLowerCase()
    if (!known.includes(key)) {
      throw new BaleError('INVALID_ARGUMENT', `invalid filter '${key}'`, { hint: `known filters: ${known.join(', ')}` })
    }
    filters.set(key, [...(filters.get(key) ?? []), word.slice(at + 1)])
  }
  return filters
}
