import { BaleError, printable } from '#base'

/** Something that is wrong in a configuration file. */
export interface Problem {
  /** From 1. */
  line: number
  column: number
  /** `listen.tls.key`; empty for the file as a whole. */
  key: string
  message: string
}

/** `registry.yaml:3:5: listen.tls.key`, as the line of a problem begins. */
export function placeIn(path: string, { line, column, key }: Omit<Problem, 'message'>): string {
  return [`${path}:${line}:${column}`, ...(key === '' ? [] : [key])].join(': ')
}

/** `listen.tls` and `key`, or the number of an item: `listen.trusted-proxies[0]`. */
export function keyBelow(group: string, key: string | number): string {
  if (typeof key === 'number') return `${group}[${key}]`
  const safe = printable(key, 64)
  return group === '' ? safe : `${group}.${safe}`
}

/** More are not listed: one mistake of notation makes many. */
const MOST = 100

/** The error of problems that are given as lines. */
export function refusal(lines: readonly string[]): BaleError {
  const more = lines.length > MOST ? [`and ${lines.length - MOST} more`] : []
  return new BaleError('INVALID_ARGUMENT', [...lines.slice(0, MOST), ...more].join('\n'))
}
