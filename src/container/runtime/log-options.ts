import { BaleError, printable, table } from '#base'
import { compilePattern, type Pattern } from '#docker'
import type { LogOptions } from '../model/index.ts'
import type { LogLimits } from './log-files.ts'

/** docker's own for its `local` driver: no log fills a disk. */
const DEFAULT_LIMITS: LogLimits = { maxSize: 20_000_000, maxFiles: 5 }

/** docker's two names and podman's all mean the one format in which logs are stored. */
const DRIVERS = ['json-file', 'local', 'k8s-file', 'none']

const KNOWN = [
  ...['max-size', 'max-file', 'compress', 'mode', 'max-buffer-size'],
  ...['tag', 'labels', 'labels-regex', 'env', 'env-regex'],
]

/** Throws INVALID_ARGUMENT or UNSUPPORTED with docker's messages for invalid options. */
export function checkLogOptions({ driver, options }: LogOptions): void {
  if (!DRIVERS.includes(driver))
    throw new BaleError('UNSUPPORTED', `the log driver ${printable(driver)} is not supported`, {
      hint: 'json-file, local (both kept as files, with a limit), or none',
    })
  const names = Object.keys(options)
  if (driver === 'none') {
    if (names.length > 0) throw new BaleError('INVALID_ARGUMENT', 'invalid logging opts for driver none')
    return
  }
  const unknown = names.find((name) => !KNOWN.includes(name))
  if (unknown !== undefined)
    throw new BaleError('INVALID_ARGUMENT', `unknown log opt '${printable(unknown)}' for ${driver} log driver`, {
      hint: `known: ${KNOWN.join(', ')}`,
    })
  const { maxFiles } = logLimits({ driver, options }) ?? DEFAULT_LIMITS
  const compress = options['compress']
  if (compress !== undefined && !/^(true|false|[01tf])$/i.test(compress))
    throw new BaleError('INVALID_ARGUMENT', `invalid value ${printable(compress)} for the log opt compress`)
  if (/^(true|1|t)$/i.test(compress ?? '') && maxFiles < 2)
    throw new BaleError('INVALID_ARGUMENT', 'compress cannot be true when max-file is less than 2')
  const mode = options['mode']
  if (mode !== undefined && mode !== 'blocking' && mode !== 'non-blocking')
    throw new BaleError('INVALID_ARGUMENT', `logger: logging mode not recognized: ${printable(mode)}`)
  for (const name of ['labels-regex', 'env-regex']) if (options[name]) pattern(options[name])
}

/** Undefined when nothing is kept, or everything (`max-size=-1`). */
export function logLimits({ driver, options = {} }: Partial<LogOptions> = {}): LogLimits | undefined {
  if (driver === 'none' || options['max-size'] === '-1') return undefined
  const { 'max-size': size, 'max-file': files } = options
  const maxFiles = files === undefined ? DEFAULT_LIMITS.maxFiles : Number(files)
  if (files !== undefined && !/^[+-]?\d{1,6}$/.test(files))
    throw new BaleError('INVALID_ARGUMENT', `invalid value ${printable(files)} for the log opt max-file`)
  if (maxFiles < 1) throw new BaleError('INVALID_ARGUMENT', 'max-file cannot be less than 1')
  return { maxSize: size === undefined ? DEFAULT_LIMITS.maxSize : humanSize(size), maxFiles }
}

const UNITS = table<number>({ '': 1, b: 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12, p: 1e15 })

/** docker reads this one size in thousands. Source: go-units, FromHumanSize. */
function humanSize(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([bkmgtp]?)(?:i?b)?$/i.exec(text) ?? []
  const size = Math.floor(Number(number) * UNITS[unit.toLowerCase()]!)
  if (number === '' || size < 1 || !Number.isSafeInteger(size))
    throw new BaleError('INVALID_ARGUMENT', `invalid size: '${printable(text)}'`)
  return size
}

/** What the options labels, env and tag add to each line of the log (`--details`). */
export function logAttributes(
  log: LogOptions | undefined,
  container: { labels: Record<string, string>; env: readonly string[]; id: string; name: string; image: string },
): Record<string, string> {
  const options = log?.options ?? {}
  const variables = Object.fromEntries(container.env.map((entry) => entry.split(/=(.*)/s, 2) as [string, string]))
  const tag = options['tag']
  return {
    ...chosen(container.labels, options['labels'], options['labels-regex']),
    ...chosen(variables, options['env'], options['env-regex']),
    ...(tag && {
      tag: tag.replace(/\{\{\s*\.(\w+)\s*\}\}/g, (whole, name: string) => tagWord(name, container) ?? whole),
    }),
  }
}

function chosen(values: Record<string, string>, names = '', regex?: string): Record<string, string> {
  const wanted = new Set(names.split(',').filter(Boolean))
  const matches = regex ? pattern(regex) : undefined
  return Object.fromEntries(Object.entries(values).filter(([name]) => wanted.has(name) || matches?.test(name)))
}

function pattern(text: string): Pattern {
  const compiled = compilePattern(text)
  if (compiled) return compiled
  throw new BaleError('INVALID_ARGUMENT', `error parsing regexp: ${printable(text)}`)
}

function tagWord(name: string, { id, name: own, image }: { id: string; name: string; image: string }) {
  return table({ ID: id.slice(0, 12), FullID: id, Name: own, ImageName: image })[name]
}
