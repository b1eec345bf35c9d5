import * as v from 'valibot'
import { nearest } from '#base'
import { type ConfigurationSchema, fileSchema, propertiesOf, schemaOf } from './configuration-schema.ts'
import { keyBelow } from './problems.ts'
import { isGroup, RULES } from './rules.ts'
import { FILE, type FileContent } from './schema.ts'

/** Something that is wrong with a value, or with a key that is not known. */
export interface Fault {
  /** `listen.tls.key`; empty for the file as a whole. */
  key: string
  /** Whether the key itself is wrong, and not what it has. */
  part: 'key' | 'value'
  message: string
}

/** What a file's value means, or all that is wrong with it. One key has one fault. */
export function validate(value: unknown): { content: FileContent } | { faults: Fault[] } {
  const schema = fileSchema()
  const { issues = [], output, success } = v.safeParse(FILE, value)
  const misshapen = shapeFaults(value, schema, '')
  const wrong = issues
    .map((issue) => valueFault(issue, schema))
    .filter((fault) => fault && !misshapen.some(({ key }) => fault.key === key || fault.key.startsWith(`${key}.`)))
  const faults = new Map<string, Fault>()
  for (const fault of [...misshapen, ...wrong, ...ruleFaults(value)]) {
    if (fault && !faults.has(fault.key)) faults.set(fault.key, fault)
  }
  return faults.size === 0 && success ? { content: output } : { faults: [...faults.values()] }
}

/** Keys that are not known, and lists where there should be keys: valibot tells the first of the former, and takes the latter. */
function shapeFaults(value: unknown, schema: ConfigurationSchema, at: string): Fault[] {
  if (Array.isArray(value) && schema.items) {
    return value.flatMap((item, index) => shapeFaults(item, schema.items!, keyBelow(at, index)))
  }
  const known = propertiesOf(schema)
  const names = Object.keys(known)
  if (names.length === 0) return []
  if (Array.isArray(value)) return [{ key: at, part: 'value', message: 'expects a group of keys, not a list' }]
  if (!isGroup(value)) return []
  return Object.entries(value).flatMap(([name, below]) => {
    const key = keyBelow(at, name)
    if (Object.hasOwn(known, name)) return shapeFaults(below, known[name]!, key)
    return [{ key, part: 'key' as const, message: unknownKey(name, names) }]
  })
}

function unknownKey(name: string, known: readonly string[]): string {
  const meant = nearest(name, known)
  return meant === undefined ? `unknown key; expects ${known.join(', ')}` : `unknown key; did you mean ${meant}?`
}

/** Undefined for an unknown key, which is reported elsewhere. */
function valueFault(issue: v.BaseIssue<unknown>, schema: ConfigurationSchema): Fault | undefined {
  const key = (issue.path ?? []).reduce((at, { key }) => keyBelow(at, key as string | number), '')
  if (issue.type !== 'strict_object' || issue.path?.at(-1)?.origin !== 'key')
    return { key, part: 'value', message: issue.message }
  if (issue.expected === 'never') return undefined
  return { key, part: 'key', message: `is missing: ${schemaOf(schema, key)!.description}` }
}

function ruleFaults(value: unknown): Fault[] {
  return RULES.flatMap(({ group, broken }) => {
    const keys =
      group === '' ? value : group.split('.').reduce<unknown>((at, name) => (isGroup(at) ? at[name] : undefined), value)
    const fault = isGroup(keys) ? broken(keys) : undefined
    if (!fault) return []
    return [{ key: group === '' ? fault.key : `${group}.${fault.key}`, part: 'key' as const, message: fault.message }]
  })
}
