/**
 * Reads a Range header (RFC 9110, section 14.2) of one range. Undefined for none, for other units and for several
 * ranges: the whole is sent then. A range that begins after the end, or ends before it begins, is unsatisfiable.
 */
export function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const [, first, last] = match as unknown as [string, string, string]
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size }
  }
  const start = Number(first)
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  return start >= size || end <= start ? 'unsatisfiable' : { start, end }
}

/** Reads the Content-Range of a chunk, `0-1023` (the distribution specification's own form); `end` is exclusive. */
export function parseContentRange(header: string): { start: number; end: number } | undefined {
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/.exec(header.trim())
  if (!match) return undefined
  const [start, end] = [Number(match[1]), Number(match[2]) + 1]
  return end > start ? { start, end } : undefined
}
