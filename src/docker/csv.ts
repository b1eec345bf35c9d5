/**
 * The fields of one line as Go's encoding/csv reads them, which is how docker reads `--mount` and its like: a field in double quotes
 * may hold commas and line ends, `""` in it means a quote. Only the first line counts. Throws an Error with Go's message.
 */
export function csvFields(text: string): string[] {
  const fields: string[] = []
  let at = 0
  do {
    const [field, end] = text[at] === '"' ? quotedField(text, at) : bareField(text, at)
    fields.push(field)
    at = end
  } while (text[at++] === ',')
  if (fields.length === 1 && fields[0] === '' && !text.startsWith('"')) throw new Error('EOF')
  return fields
}

function bareField(text: string, start: number): [string, number] {
  const length = text.slice(start).search(/,|\r?\n/)
  const end = length < 0 ? text.length : start + length
  const field = text.slice(start, end)
  const quote = field.indexOf('"')
  if (quote >= 0) throw wrong(text, start + quote, 'bare " in non-quoted field')
  return [field, end]
}

function quotedField(text: string, start: number): [string, number] {
  let field = ''
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] !== '"') field += text[at]
    else if (text[at + 1] === '"') field += text[++at]
    else if (/^(,|\r?\n|$)/.test(text.slice(at + 1))) return [field, at + 1]
    else throw wrong(text, at, 'extraneous or missing " in quoted-field')
  }
  throw wrong(text, text.length, 'extraneous or missing " in quoted-field')
}

function wrong(text: string, at: number, problem: string): Error {
  return new Error(
    `parse error on line 1, column ${new TextEncoder().encode(text.slice(0, at)).length + 1}: ${problem}`,
  )
}
