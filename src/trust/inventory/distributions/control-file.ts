const NEWLINE = 0x0a
const COLON = 0x3a

/** Bytes of a field's value that are looked at; what is longer is cut. */
const LONGEST_VALUE = 8192
const LONGEST_FIELD_NAME = 64

/**
 * The paragraphs of a Debian control file, or of apk's database, which differs by its field names alone: for each the first
 * lines of the wanted fields by name, UTF-8. All other lines are passed over, whatever they are. Source: deb822(5).
 */
export function* controlParagraphs(bytes: Buffer, wanted: ReadonlySet<string>): Generator<ReadonlyMap<string, string>> {
  let fields = new Map<string, string>()
  for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
    end = endOfLine(bytes, start)
    if (isBlank(bytes, start, end)) {
      if (fields.size > 0) {
        yield fields
        fields = new Map()
      }
      continue
    }
    const colon = colonIn(bytes, start, end)
    const name = bytes.toString('latin1', start, colon)
    if (wanted.has(name))
      fields.set(name, bytes.toString('utf8', colon + 1, Math.min(end, colon + LONGEST_VALUE)).trim())
  }
  if (fields.size > 0) yield fields
}

/** The lines of a text without their newlines; the last one need not have one. */
export function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
    end = endOfLine(bytes, start)
    yield bytes.subarray(start, end)
  }
}

function endOfLine(bytes: Buffer, start: number): number {
  const newline = bytes.indexOf(NEWLINE, start)
  return newline < 0 ? bytes.length : newline
}

/** Where the name of a field ends; `start` for a line that continues a field, or is none. */
function colonIn(bytes: Buffer, start: number, end: number): number {
  if (isSpace(bytes[start]!)) return start
  const last = Math.min(end, start + LONGEST_FIELD_NAME)
  for (let at = start; at < last; at++) if (bytes[at] === COLON) return at
  return start
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isSpace(bytes[at]!)) return false
  return true
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d
}
