import { table } from '#base'
import { formatDuration } from '#docker'
import type { Healthcheck } from '#spec'

/** History entries quote arguments as Go's `%q`, `%v` and `%+v` do; tools compare them. */

const NAMED = table<string>({ '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r' })
const MORE = table<string>({ '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\v': '\\v' })

export function goQuoted(text: string): string {
  const quoted = text.replace(/["\\\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/gu, (character) => {
    const code = character.codePointAt(0)!
    const hex = (length: number) => code.toString(16).padStart(length, '0')
    const named = NAMED[character] ?? MORE[character]
    if (named !== undefined) return named
    return code < 0x80 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`
  })
  return `"${quoted}"`
}

/** `["a" "b"]` */
export function goQuotedList(words: readonly string[]): string {
  return `[${words.map(goQuoted).join(' ')}]`
}

/** `[a b]` */
export function goList(words: readonly string[]): string {
  return `[${words.join(' ')}]`
}

export function goHealthcheck(check: Healthcheck): string {
  const times = (['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const).map(
    (name) => `${name}:${formatDuration(check[name] ?? 0)}`,
  )
  return `{Test:${goList(check.Test ?? [])} ${times.join(' ')} Retries:${check.Retries ?? 0}}`
}
