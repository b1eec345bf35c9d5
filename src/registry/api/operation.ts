import * as v from 'valibot'
import type { Administered, Role } from '../decide/index.ts'
import type { Administration, MethodOf, OperationName } from './administration.ts'

/** Who asks, as far as an operation itself has to know. */
export interface Caller {
  name: string
  admin: boolean
  /** The names below which it administers; undefined for everything. */
  names: readonly string[] | undefined
  /** How long its access token lasts, in milliseconds; undefined for ever, or for a password. */
  left: number | undefined
  /** The repositories that it may pull from, after a name. */
  repositories(page: { last?: string }): AsyncIterable<{ name: string; isPublic: boolean }>
  /** DENIED for what is not its password. */
  confirm(password: string): Promise<void>
  /** What it is and may do. */
  describe(): Promise<Self>
}

/** An account as its owner sees it. */
export interface Self {
  name: string
  kind: 'user' | 'robot'
  admin: boolean
  grants: { pattern: string; role: Role }[]
  groups: { group: string; role: 'owner' | 'member' }[]
  /** Below which names it administers; absent for everything. */
  administers?: string[]
  limit?: { pattern: string; role: Role }
}

type What = Administered | readonly Administered[]

type Values = v.StrictObjectSchema<v.ObjectEntries, undefined>

/** One operation of the API. This is the whole of what server, client and description know of it. */
export interface Operation {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below `/api/v1`; each `{name}` is one part, percent-encoded. */
  path: string
  summary: string
  /** Who may call it, in words. */
  who: string
  parameters: Values
  query: Values
  body?: v.GenericSchema
  /** Of a successful answer; without it there is none. */
  result?: v.GenericSchema
  /** The answer is a page: `items`, and `next`, which this parameter of the query takes for the page after it. */
  pages?: string
  /** The method of `Administration` gives all items at once; without this, it gives one after another. */
  gathered?: boolean
  /** What it administers, all of which the caller must. It is judged before anything is looked up that the caller is told of. */
  what(input: object, admin: Administration): What | Promise<What>
  run(admin: Administration, input: object, context: { caller: Caller; signal: AbortSignal }): Promise<unknown>
  /** What a method of `Administration` is called with, as the input of the operation. */
  input(...args: unknown[]): object
  /** What that method returns. Of a page, its items. */
  output(result: unknown): unknown
}

type Entries = Record<string, v.GenericSchema>
type Out<E extends Entries> = v.InferOutput<v.StrictObjectSchema<E, undefined>>
type In<E extends Entries> = v.InferInput<v.StrictObjectSchema<E, undefined>>
type Returned<Name extends OperationName> =
  ReturnType<MethodOf<Name>> extends AsyncIterable<infer Item> ? Item[] : Awaited<ReturnType<MethodOf<Name>>>

interface Definition<Name extends OperationName, P extends Entries, Q extends Entries, B extends Entries, R> {
  method: Operation['method']
  path: string
  summary: string
  who: Who<Out<P> & Out<Q> & Out<B>>
  parameters?: P
  query?: Q
  body?: B
  result?: v.GenericSchema<R>
  pages?: keyof Q & string
  gathered?: ReturnType<MethodOf<Name>> extends AsyncIterable<unknown> ? never : true
  run(
    admin: Administration,
    input: Out<P> & Out<Q> & Out<B>,
    context: { caller: Caller; signal: AbortSignal },
  ): Promise<R>
  input(...args: Parameters<MethodOf<Name>>): In<P> & In<Q> & In<B>
  output(result: R): Returned<Name>
}

/** In words, and as what is administered. */
export interface Who<Input> {
  words: string
  what(input: Input, admin: Administration): What | Promise<What>
}

/** An operation whose parts fit together, and fit the method of `Administration` that it has its name from. */
export function operation<
  Name extends OperationName,
  R = void,
  P extends Entries = Record<never, never>,
  Q extends Entries = Record<never, never>,
  B extends Entries = Record<never, never>,
>(_name: Name, definition: Definition<Name, P, Q, B, R>): Operation {
  const { method, path, summary, who, parameters = {}, query = {}, body, result, pages, gathered } = definition
  return {
    ...{ method, path, summary, pages, gathered, result },
    who: who.words,
    what: who.what as Operation['what'],
    parameters: v.strictObject(parameters),
    query: v.strictObject(query),
    body: body && v.strictObject(body),
    run: definition.run as Operation['run'],
    input: definition.input as Operation['input'],
    output: definition.output as Operation['output'],
  }
}
