import { editDistance } from '#base'

/** What a name was perhaps meant to be: the first of those with the fewest edits, at most two. Source: BuildKit, util/suggest. */
export function suggestion(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return undefined
  let best: string | undefined
  let fewest = 3
  for (const candidate of known) {
    const edits = editDistance(name, candidate, { swaps: false })
    if (edits >= fewest) continue
    best = candidate
    fewest = edits
  }
  return best
}
