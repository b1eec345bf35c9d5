/** Fields of one header are few; more lines than this are no header. */
const MOST_FIELDS = 100_000

/**
 * The fields of a header as in mail, until the first empty line: by name in lower case, each with its values in the order
 * of the text. Lines that begin with white space go on with the field above them. What is no field is passed over. Source:
 * RFC 5322, section 2.2.
 */
export function headerFields(text: string): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>()
  let lines: string[] = []
  let values: string[] | undefined
  const endField = () => {
    values?.push(lines.join('\n').trim())
    values = undefined
    lines = []
  }
  let count = 0
  for (const line of linesOf(text)) {
    if (line === '' || ++count > MOST_FIELDS) break
    if (/^[ \t]/.test(line)) {
      lines.push(line.trim())
      continue
    }
    endField()
    const name = /^[A-Za-z][A-Za-z-]{0,63}(?=:)/.exec(line)?.[0].toLowerCase()
    if (name === undefined) continue
    values = fields.get(name) ?? []
    fields.set(name, values)
    lines = [line.slice(name.length + 1).trim()]
  }
  endField()
  return fields
}

/** Lines without what ends them. */
function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    yield text.slice(start, text[end - 1] === '\r' && end > start ? end - 1 : end)
    start = end + 1
  }
}
