import * as v from 'valibot'
import { BaleError, printable } from '#base'

/** A member that may be missing, or null. */
export const optionalText = v.nullish(v.string())

/** A list that may be missing, or null. */
export function optionalList<Item extends v.GenericSchema<unknown, unknown>>(item: Item) {
  return v.nullish(v.array(item), [])
}

/** The value as the schema has it. INVALID_ARGUMENT names the first member that is not: `vex.json: statements[0].status: …`. */
export function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown, path: string): T {
  const { success, output, issues } = v.safeParse(schema, value, { abortEarly: true })
  if (success) return output
  const { path: keys = [], message } = issues[0]
  const place = keys
    .map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${printable(String(key), 64)}`))
    .join('')
  throw new BaleError(
    'INVALID_ARGUMENT',
    [path, place.replace(/^\./, ''), printable(message, 200)].filter(Boolean).join(': '),
  )
}
