import { BaleError } from '#base'
import { UsageError } from './parse-arguments.ts'

/** `--filter name=value`, repeated, in order; what the names may be is for the engine to say. */
export function readPairs(words: readonly string[] | undefined): { name: string; value: string }[] {
  return (words ?? []).map((word) => {
    const at = word.indexOf('=')
    if (at < 1) {
      const problem = 'bad format of filter (expected name=value)'
      throw new UsageError(`invalid argument "${word}" for "-f, --filter" flag: ${problem}`, 125)
    }
    return { name: word.slice(0, at).trim().toLowerCase(), value: word.slice(at + 1) }
  })
}

/** The same by name, for verbs that know their filters: others are refused by name, as docker does. */
export function parseFilters(words: readonly string[] | undefined, known: readonly string[]): Map<string, string[]> {
  const filters = new Map<string, string[]>()
  for (const { name, value } of readPairs(words)) {
    if (!known.includes(name)) {
      throw new BaleError('INVALID_ARGUMENT', `Invalid filter '${name}'`, {
        hint: `known filters: ${known.join(', ')}`,
      })
    }
    filters.set(name, [...(filters.get(name) ?? []), value])
  }
  return filters
}
