import * as v from 'valibot'
import { nearest, printable } from '#base'
import { faultOf, type Key, type PlacedDocument } from '#trust/placed-document'
import type { IgnoreEntry } from './ignore-entry.ts'

const LONGEST = 1000

const line = (what: string) => {
  const message = expects(`${what}, on one line of ${LONGEST} characters at most`)
  return v.pipe(v.string(message), v.check(isLine, message))
}

const dayMessage = expects('a day, such as 2026-12-31')
const day = v.pipe(v.string(dayMessage), v.check(isDay, dayMessage))

const ENTRY = v.strictObject(
  {
    id: line('the id of a vulnerability, such as CVE-2024-3094'),
    package: v.optional(line('the name of a package, or a package URL; * stands for any text')),
    reason: line('why the vulnerability does not count, in words'),
    expires: v.optional(day),
    author: v.optional(line('who decided it')),
  },
  expects('an entry with id and reason'),
)

const FILE = v.strictObject({ ignore: v.array(ENTRY, expects('a list of entries')) }, expects('the key ignore'))

const KNOWN = { file: Object.keys(FILE.entries), entry: Object.keys(ENTRY.entries) }

/** What an ignore file says; an empty file says nothing. Throws INVALID_ARGUMENT with all that is wrong. */
export function entriesOf(document: PlacedDocument): IgnoreEntry[] {
  if (document.value === null) return []
  const { success, output, issues } = v.safeParse(FILE, document.value)
  if (!success) throw document.refuse(issues.map((issue) => faultOf(issue, unknownKey)))
  return output.ignore.map((entry, at) => ({ ...entry, place: document.lineOf(['ignore', at]) }))
}

function unknownKey(keys: readonly Key[]): string {
  const known = keys.length === 1 ? KNOWN.file : KNOWN.entry
  const meant = nearest(String(keys.at(-1)), known)
  return `unknown key; ${meant ? `did you mean ${meant}?` : `expects ${known.join(', ')}`}`
}

function expects(what: string) {
  return ({ input }: { input: unknown }) => `expects ${what}, not ${shown(input)}`
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(printable(value, 80))
  if (Array.isArray(value)) return 'a list'
  if (value === null) return 'nothing'
  return typeof value === 'object' ? 'a group of keys' : `the ${typeof value} ${value}`
}

function isLine(text: string): boolean {
  return text.length <= LONGEST && text.trim() !== '' && !/[\r\n]/.test(text)
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}
