import * as v from 'valibot'
import { nearest, printable } from '#base'
import type { FoundOperation } from './find-operation.ts'
import { type Fault, invalidInput } from './problem.ts'

/** What a request brings: texts of path and query, and its body as JSON means it. */
interface Given {
  query: URLSearchParams
  /** Undefined for none. */
  body: unknown
}

/** The input of an operation, checked by its schemas. INVALID_ARGUMENT names all that is wrong, and where. */
export function readInput({ operation, parameters }: FoundOperation, { query, body }: Given): object {
  const faults: Fault[] = repeated(query)
  const input = {
    ...checked(operation.parameters, typed(operation.parameters, parameters), faults, 'parameter'),
    ...checked(operation.query, typed(operation.query, Object.fromEntries(query)), faults, 'parameter'),
    ...checkedBody(operation.body, body, faults),
  }
  if (faults.length > 0) throw invalidInput(faults)
  return input
}

function repeated(query: URLSearchParams): Fault[] {
  const names = [...query.keys()]
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index))
  return [...twice].map((name) => ({ parameter: printable(name, 64), detail: 'is given more than once' }))
}

function checkedBody(schema: v.GenericSchema | undefined, body: unknown, faults: Fault[]): object {
  if (!schema) {
    if (body !== undefined) faults.push({ pointer: '', detail: 'this operation takes no body' })
    return {}
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return checked(schema, body, faults, 'pointer')
  faults.push({ pointer: '', detail: 'expects an object of JSON as body' })
  return {}
}

function checked(schema: v.GenericSchema, value: object, faults: Fault[], place: 'pointer' | 'parameter'): object {
  const { success, output, issues = [] } = v.safeParse(schema, value)
  if (success) return output as object
  for (const issue of issues) {
    const keys = (issue.path ?? []).map(({ key }) => printable(String(key), 64))
    const at = place === 'pointer' ? keys.map((key) => `/${escaped(key)}`).join('') : (keys[0] ?? '')
    faults.push({ [place]: at, detail: detailOf(issue, schema) })
  }
  return {}
}

function detailOf(issue: v.BaseIssue<unknown>, schema: v.GenericSchema): string {
  const last = issue.path?.at(-1)
  if (issue.type !== 'strict_object' || last?.origin !== 'key') return issue.message
  if (issue.expected !== 'never') return 'is missing'
  const known = issue.path?.length === 1 ? Object.keys(entriesOf(schema)) : []
  const meant = nearest(String(last.key), known)
  return meant === undefined ? 'is not known' : `is not known; did you mean ${meant}?`
}

/** Source: RFC 6901, section 3. */
const escaped = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

/** Texts of a path or query as what the schema expects: numbers where they are such. */
function typed(schema: v.GenericSchema, texts: Readonly<Record<string, string>>): Record<string, unknown> {
  const entries = entriesOf(schema)
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => {
      const wanted = Object.hasOwn(entries, name) ? kindOf(entries[name]!) : undefined
      return [name, wanted === 'number' && /^\d{1,16}$/.test(text) ? Number(text) : text]
    }),
  )
}

function entriesOf(schema: v.GenericSchema): v.ObjectEntries {
  return (schema as Partial<v.StrictObjectSchema<v.ObjectEntries, undefined>>).entries ?? {}
}

/** Without what makes it optional. */
function kindOf(schema: { type: string; wrapped?: { type: string } }): string {
  return schema.wrapped?.type ?? schema.type
}
