import * as v from 'valibot'
import { BaleError, ERROR_CODES, type ErrorCode, type NextStep, printable } from '#base'
import { parseJson } from '#spec'
import type { ApiAnswer } from '#transport'
import type { ApiConnection, RemoteAdmin } from './connection.ts'
import type { Operation } from './operation.ts'
import { OPERATIONS } from './operations.ts'

/** The administration that a registry offers by HTTP, made from the table of operations. */
export function createRemoteAdmin(connection: ApiConnection): RemoteAdmin {
  const admin: Record<string, unknown> = {}
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    const [noun, verb] = name.split('.') as [string, string?]
    const method = methodOf(connection, operation)
    if (verb === undefined) admin[noun] = method
    else admin[noun] = { ...(admin[noun] as object | undefined), [verb]: method }
  }
  // The table has each of its methods, and their arguments and results: operation() holds the types together.
  return admin as unknown as RemoteAdmin
}

function methodOf(connection: ApiConnection, operation: Operation): (...args: unknown[]) => unknown {
  const perform = (input: object, signal: AbortSignal | undefined) => call(connection, operation, input, signal)
  if (operation.pages === undefined) {
    return async (...args) => operation.output(await perform(operation.input(...args), signalOf(args)))
  }
  const cursor = operation.pages
  const each = async function* (...args: unknown[]) {
    const { limit, ...input } = operation.input(...args) as { limit?: number }
    for (let next: unknown; ; ) {
      const page = await perform(
        { ...input, limit: limit ?? LARGEST_PAGE, ...(next !== undefined && { [cursor]: next }) },
        signalOf(args),
      )
      yield* operation.output(page) as unknown[]
      next = (page as { next?: unknown }).next
      // Who says how many wants one page.
      if (next === undefined || limit !== undefined) return
    }
  }
  return operation.gathered ? async (...args) => await Array.fromAsync(each(...args)) : each
}

const LARGEST_PAGE = 1000

/** Methods take it in their last argument. */
function signalOf(args: readonly unknown[]): AbortSignal | undefined {
  const { signal } = (args.at(-1) ?? {}) as { signal?: unknown }
  return signal instanceof AbortSignal ? signal : undefined
}

async function call(
  connection: ApiConnection,
  operation: Operation,
  input: object,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const answer = await connection.send({ ...requestOf(operation, input), signal })
  if (answer.status !== 200 && answer.status !== 204) throw errorOf(answer, connection.name)
  if (!operation.result) return undefined
  const read = v.safeParse(operation.result, parseJson(answer.body))
  if (read.success) return read.output
  throw new BaleError('REGISTRY_FAILED', `${connection.name} answered in a form that is not known`, {
    details: { status: answer.status, path: operation.path },
  })
}

function requestOf({ method, path, query, body }: Operation, input: object) {
  const values = new Map(Object.entries(input).filter(([, value]) => value !== undefined))
  const take = (key: string): string => {
    const value = String(values.get(key))
    values.delete(key)
    return value
  }
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, key: string) => pathPart(take(key)))
  const asked = new URLSearchParams()
  for (const key of Object.keys(query.entries)) if (values.has(key)) asked.set(key, take(key))
  const search = asked.size > 0 ? `?${asked}` : ''
  return { method, path: `/api/v1${filled}${search}`, body: body && JSON.stringify(Object.fromEntries(values)) }
}

/** Some parts mean another place, however they are encoded. */
function pathPart(text: string): string {
  if (!['', '.', '..'].includes(text)) return encodeURIComponent(text)
  throw new BaleError('INVALID_ARGUMENT', `not a name: ${JSON.stringify(text)}`)
}

/** The next steps that a registry's errors have. Others, of a newer one, are left out. */
const NEXT = v.variant('act', [
  v.object({
    act: v.picklist([
      ...([
        'list-registry-users',
        'list-registry-policies',
        'list-registry-quotas',
        'list-registry-exceptions',
      ] as const),
      ...(['list-registry-hooks', 'list-registry-deliveries', 'list-registry-replications'] as const),
      'adopt-repositories',
    ]),
  }),
  v.object({ act: v.literal('show-tag-history'), name: v.string() }),
  v.object({ act: v.literal('change-registry-password'), user: v.string() }),
]) satisfies v.GenericSchema<unknown, NextStep>

const PROBLEM = v.object({
  status: v.number(),
  detail: v.string(),
  code: v.pipe(
    v.string(),
    v.check((code) => Object.hasOwn(ERROR_CODES, code)),
  ),
  hint: v.optional(v.string()),
  next: v.fallback(v.optional(NEXT), undefined),
  instance: v.optional(v.string()),
})

const LONGEST_MESSAGE = 4096

/** The error that the registry met, as if it had been met here. */
function errorOf({ status, mediaType, body }: ApiAnswer, registry: string): BaleError {
  const problem = v.safeParse(PROBLEM, mediaType === 'application/problem+json' ? parseJson(body) : undefined)
  if (problem.success) {
    const { code, detail, hint, next, instance } = problem.output
    return new BaleError(code as ErrorCode, printable(detail, LONGEST_MESSAGE), {
      hint: hint && printable(hint, LONGEST_MESSAGE),
      next,
      details: { status, request: instance },
    })
  }
  const because =
    status === 404 ? 'is it a registry of bale, and not an older one?' : `it answered with status ${status}`
  return new BaleError('REGISTRY_FAILED', `${registry} cannot be administered: ${because}`, { details: { status } })
}
