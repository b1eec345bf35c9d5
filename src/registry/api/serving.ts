import * as v from 'valibot'
import { findOperation } from './find-operation.ts'
import { openApi } from './openapi.ts'
import type { Operation } from './operation.ts'
import { readInput } from './read-input.ts'

let description: string | undefined

/** What answers requests. */
export const serving = {
  findOperation,
  readInput,
  /** The description of the API, as JSON. It is asked for without a login, so it is made once. */
  description: () => (description ??= JSON.stringify(openApi())),
  /** What is sent of a result: what its schema knows, and nothing else. Undefined for no body. */
  answerBody: ({ result }: Operation, value: unknown) => result && JSON.stringify(v.parse(result, value)),
}
