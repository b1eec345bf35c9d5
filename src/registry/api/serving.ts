import * as v from 'valibot'
import type { Operation } from './operation.ts'

export { findOperation } from './find-operation.ts'
export { openApi } from './openapi.ts'
export { readInput } from './read-input.ts'

/** What is sent of a result: what its schema knows, and nothing else. Undefined for no body. */
export function answerBody({ result }: Operation, value: unknown): string | undefined {
  return result && JSON.stringify(v.parse(result, value))
}
