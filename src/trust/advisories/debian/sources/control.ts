/**
 * The paragraphs of a control file, each as its fields by name in lower case. The lines of a longer value are joined
 * by newlines, without the space that each begins with; a line of one dot is empty. Comments, and lines that are no
 * part of a field, are passed over. Source: deb822(5).
 */
export function parseControl(text: string): ReadonlyMap<string, string>[] {
  const paragraphs: Map<string, string>[] = []
  let fields: Map<string, string> | undefined
  let name: string | undefined
  for (const line of text.split('\n')) {
    if (line.trim() === '') {
      fields = name = undefined
    } else if (line.startsWith(' ') || line.startsWith('\t')) {
      if (fields && name !== undefined) fields.set(name, `${fields.get(name)}\n${continuation(line)}`)
    } else if (!line.startsWith('#')) {
      name = nameOf(line)
      if (name === undefined) continue
      if (!fields) {
        fields = new Map()
        paragraphs.push(fields)
      }
      fields.set(name, line.slice(name.length + 1).trim())
    }
  }
  return paragraphs
}

function nameOf(line: string): string | undefined {
  const colon = line.indexOf(':')
  return colon > 0 && colon <= LONGEST_NAME ? line.slice(0, colon).toLowerCase() : undefined
}

const LONGEST_NAME = 64

function continuation(line: string): string {
  const text = line.slice(1).trimEnd()
  return text === '.' ? '' : text
}
