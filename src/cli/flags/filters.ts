import type { FilterPair } from '#docker'
import type { VerbOption } from './verb-option.ts'

/** `--filter name=value`, as every list and prune takes it. */
export function filterFlag<const Flags extends '-f, --filter <FILTER>' | '--filter <FILTER>'>(
  flags: Flags,
  description: string,
) {
  return { flags, description, repeat: true, check: readPair } as const satisfies VerbOption
}

/** In the order given; the engine checks the names. */
export function readPairs(words: readonly string[] | undefined): FilterPair[] {
  return (words ?? []).flatMap((word) => readPair(word) ?? [])
}

/** An empty word is no filter. */
function readPair(word: string): FilterPair | undefined {
  if (word === '') return undefined
  const at = word.indexOf('=')
  if (at < 0) throw new Error('bad format of filter (expected name=value)')
  return { name: word.slice(0, at).trim().toLowerCase(), value: word.slice(at + 1).trim() }
}
