import type { BaseIssue } from 'valibot'
import type { Fault, Key } from './placed-document.ts'

/** A mistake that a schema found, at its place in a document. `unknown` words a member that the schema does not know. */
export function faultOf(issue: BaseIssue<unknown>, unknown: (keys: readonly Key[]) => string): Fault {
  const keys = (issue.path ?? []).map(({ key }) => key as Key)
  if (issue.type !== 'strict_object' || issue.path?.at(-1)?.origin !== 'key') return { keys, message: issue.message }
  if (issue.expected !== 'never') return { keys, message: 'is missing' }
  return { keys, atKey: true, message: unknown(keys) }
}
