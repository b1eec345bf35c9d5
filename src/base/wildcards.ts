/** Whether a text fits a pattern in which `*` stands for any text. Takes length times length steps at most. */
export function fitsText(pattern: string, text: string): boolean {
  return fits([...pattern], [...text], { star: '*', least: 0, same: (one, other) => one === other })
}

/**
 * Whether a text of parts between slashes fits a pattern: `*` stands for any text within one part, `**` as a part of its own for one
 * part or more. `registry.example/team/**` fits all below `team`, `**` everything.
 */
export function fitsPath(pattern: string, path: string): boolean {
  return fits(pattern.split('/'), path.split('/'), { star: '**', least: 1, same: fitsText })
}

interface Wildcard {
  star: string
  /** The fewest items that the star stands for. */
  least: 0 | 1
  same: (pattern: string, item: string) => boolean
}

/** Goes back to the last star only: what an earlier one could take besides, the last one can take as well. */
function fits(pattern: readonly string[], items: readonly string[], { star, least, same }: Wildcard): boolean {
  let [at, item] = [0, 0]
  let last: { at: number; item: number } | undefined
  for (;;) {
    if (pattern[at] === star) {
      item += least
      if (item > items.length) return false
      last = { at: ++at, item }
    } else if (at < pattern.length && item < items.length && same(pattern[at]!, items[item]!)) {
      at++
      item++
    } else if (at === pattern.length && item === items.length) return true
    else if (last && last.item < items.length) {
      item = ++last.item
      at = last.at
    } else return false
  }
}
