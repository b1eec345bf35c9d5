/** A line of a lockfile: what it is called and where, and what it says. */
interface BlockEntry {
  /** The keys that lead to the line, its own last. Valid until the next entry is asked for. */
  readonly path: readonly string[]
  /** Without quotes; empty when the content is on the next lines. */
  readonly value: string
}

/** Keys that lead to a line; what is deeper is no part of a lockfile that a program wrote. */
const DEEPEST = 32

/**
 * The `key: value` lines of YAML in block style as programs write it (pnpm, yarn), and of yarn's first format, which has a
 * space for the colon. A whole YAML parser takes 2 s for each megabyte of such a file, and builds all of it in memory; this
 * passes once over the text. Items of lists, values of several lines and what else is no such line give entries that
 * mean nothing, deeper than their key.
 */
export function* blockEntries(text: string): Generator<BlockEntry> {
  const path: string[] = []
  const indents: number[] = []
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    const indent = countSpaces(text, start, end)
    const line = text.slice(start + indent, end).trimEnd()
    start = end + 1
    if (line === '' || MEANINGLESS.test(line)) continue
    while (indents.length > 0 && indents.at(-1)! >= indent) {
      indents.pop()
      path.pop()
    }
    if (path.length === DEEPEST) continue
    const { key, value } = keyAndValue(line)
    indents.push(indent)
    path.push(key)
    yield { path, value }
  }
}

/** Comments, values of long keys, items of lists. */
const MEANINGLESS = /^(?:#|:|-(?: |$))/

function countSpaces(text: string, start: number, end: number): number {
  let at = start
  while (at < end && text.charCodeAt(at) === 0x20) at++
  return at - start
}

/** A key longer than 1024 characters has `? ` before it, and its colon on the next line. Source: YAML 1.2.2, section 8.2.2. */
function keyAndValue(line: string): { key: string; value: string } {
  const text = line.startsWith('? ') ? line.slice(2) : line
  const quote = text[0]
  if (quote === '"' || quote === "'") {
    const close = endOfQuoted(text)
    const rest = text.slice(close + 1)
    return { key: unquoted(text.slice(0, close + 1)), value: unquoted(rest.replace(/^:/, '').trim()) }
  }
  if (text.endsWith(':')) return { key: text.slice(0, -1), value: '' }
  const colon = text.indexOf(': ')
  if (colon >= 0) return { key: text.slice(0, colon), value: unquoted(text.slice(colon + 2).trim()) }
  const space = text.indexOf(' ')
  if (space < 0) return { key: text, value: '' }
  return { key: text.slice(0, space), value: unquoted(text.slice(space + 1).trim()) }
}

/** Index of the quote that closes the text; of its last character when none does. */
function endOfQuoted(text: string): number {
  const quote = text[0]
  for (let at = 1; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at++
    else if (text[at] === quote) {
      if (quote === '"' || text[at + 1] !== quote) return at
      at++
    }
  }
  return text.length - 1
}

/** Names and versions have no escapes, so only the quotes are taken off. */
function unquoted(text: string): string {
  const quote = text[0]
  return (quote === '"' || quote === "'") && text.length > 1 && text.endsWith(quote) ? text.slice(1, -1) : text
}
