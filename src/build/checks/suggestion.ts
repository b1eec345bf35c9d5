/** What a name was perhaps meant to be: the first of those with the fewest edits, at most two. Source: BuildKit, util/suggest. */
export function suggestion(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return undefined
  let best: string | undefined
  let fewest = 3
  for (const candidate of known) {
    const edits = distance(name, candidate)
    if (edits >= fewest) continue
    best = candidate
    fewest = edits
  }
  return best
}

/** Insertions, deletions and changes that lead from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let index = 1; index <= from.length; index++) {
    const next = [index]
    for (let column = 1; column <= to.length; column++) {
      const change = row[column - 1]! + (from[index - 1] === to[column - 1] ? 0 : 1)
      next.push(Math.min(next[column - 1]! + 1, row[column]! + 1, change))
    }
    row = next
  }
  return row[to.length]!
}
