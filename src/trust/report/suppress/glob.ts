/**
 * Whether a text is of a pattern's form: `*` is any text, also an empty one or one with slashes, `?` is one character. Everything
 * else is itself. The time grows with the product of both lengths at most.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let [at, inText] = [0, 0]
  /** Where to go on when what follows the last star does not fit here. */
  let [star, retry] = [-1, 0]
  while (inText < text.length) {
    if (pattern[at] === '*') [star, retry, at] = [at, inText, at + 1]
    else if (pattern[at] === '?' || pattern[at] === text[inText]) [at, inText] = [at + 1, inText + 1]
    else if (star >= 0) [at, inText, retry] = [star + 1, retry + 1, retry + 1]
    else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
