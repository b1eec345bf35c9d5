import { BaleError, printable } from '#base'

/** INVALID_TAR that names the entry. Names are latin1 strings, so a UTF-8 name is decoded for the reader first. */
export function tarError(message: string, name?: string, cause?: unknown): BaleError {
  const subject = name === undefined || name === '' ? '' : `tar entry ${quoted(name)}: `
  return new BaleError('INVALID_TAR', `${subject}${message}`, {
    hint: 'the archive is damaged or malicious; create it again with GNU tar or fetch it again',
    details: name === undefined ? {} : { entry: name },
    cause,
  })
}

/** A latin1 tar name as people read it: UTF-8 where it is UTF-8, control characters escaped, cut when long. */
export function quoted(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1')
  const text = bytes.toString('utf8')
  return `"${printable(text.includes('\ufffd') ? latin1 : text, 256)}"`
}
