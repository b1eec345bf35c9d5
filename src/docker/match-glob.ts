import { BaleError, printable } from '#base'

/** One element of a pattern: a run of any characters, or a test for one character. */
type Element = 'run' | ((character: string) => boolean)

/**
 * Go's path.Match, which docker uses for names: `*` and `?` stop at slashes, `[a-z]` and `[^a]` are classes, a backslash takes the
 * next character as it is. Linear in the text for each part between slashes. Throws INVALID_ARGUMENT for a bad pattern.
 */
export function matchGlob(pattern: string, text: string): boolean {
  const parts = pattern.split('/').map(readElements)
  const segments = text.split('/')
  return parts.length === segments.length && parts.every((elements, index) => matches(elements, [...segments[index]!]))
}

function readElements(pattern: string): Element[] {
  const elements: Element[] = []
  const element = /\*+|\?|\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|([^*?[\\])/suy
  for (let at = 0; at < pattern.length; at = element.lastIndex) {
    element.lastIndex = at
    const match = element.exec(pattern)
    if (match === null) throw new BaleError('INVALID_ARGUMENT', `syntax error in pattern: "${printable(pattern)}"`)
    const [whole, quoted, not, set, plain] = match
    if (whole.startsWith('*')) elements.push('run')
    else if (whole === '?') elements.push(() => true)
    else if (set !== undefined) elements.push(readClass(set, not === '^'))
    else elements.push((character) => character === (quoted ?? plain))
  }
  return elements
}

function readClass(set: string, negated: boolean): (character: string) => boolean {
  const ranges = [...set.matchAll(/(?:\\(.)|([^\\]))(?:-(?:\\(.)|([^\\])))?/gsu)].map(([, q1, p1, q2, p2]) => {
    const low = (q1 ?? p1)!
    return { low, high: q2 ?? p2 ?? low }
  })
  return (character) => ranges.some(({ low, high }) => character >= low && character <= high) !== negated
}

/** Only the last run ever needs to grow: an earlier one could gain nothing that the later one cannot. */
function matches(elements: readonly Element[], text: readonly string[]): boolean {
  let at = 0
  let next = 0
  let run: { next: number; at: number } | undefined
  while (at < text.length) {
    const element = elements[next]
    if (element === 'run') run = { next: ++next, at }
    else if (element?.(text[at]!)) {
      at++
      next++
    } else if (run) {
      at = ++run.at
      next = run.next
    } else return false
  }
  return elements.slice(next).every((element) => element === 'run')
}
