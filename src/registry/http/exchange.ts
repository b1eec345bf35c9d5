import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Log } from '#base'
import type { Access, AnonymousAccess, Authentication, Authenticator, TokenIssuer } from '../auth/index.ts'
import type { MetaStore } from '../meta/index.ts'
import type { ObjectStore } from '../objects/index.ts'
import type { Observe, Tracer } from '../operation/index.ts'
import type { Uploads } from '../uploads/index.ts'
import type { Health } from './health.ts'
import type { Origin } from './origin.ts'

/** What handlers work with. */
export interface RegistryContext {
  meta: MetaStore
  objects: ObjectStore
  uploads: Uploads
  authenticator: Authenticator
  tokens: TokenIssuer
  access: Access
  anonymous: AnonymousAccess
  origin: Origin
  clock: Clock
  log: Log
  /** Told of what is the registry's own fault (answers of 500 and above). */
  report(failure: unknown, request: string): void
  /** Told of requests, if somebody looks at them. */
  observe: Observe | undefined
  /** Notes what requests spend their time on, if somebody looks at that. */
  tracer: Tracer | undefined
  /** Runs work that frees space, also on a full disk. */
  whenFull<T>(work: () => Promise<T>): Promise<T>
  /** Watches requests with bodies. */
  bodies: { add(request: IncomingMessage): void }
  /** Where clients get the bytes of an object themselves; undefined when they get them from here. */
  presign: ((key: string) => Promise<string>) | undefined
  health: Health
  /** How long a pusher may rely on a reported blob, in milliseconds. */
  lease: number
}

/** One request and its answer. */
export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  /** The path as sent, without the query. */
  path: string
  query: URLSearchParams
  authentication: Authentication
}
