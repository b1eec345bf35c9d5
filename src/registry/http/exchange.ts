import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Log } from '#base'
import type { Administration } from '../api/index.ts'
import type {
  Access,
  Authentication,
  Authenticator,
  Bootstrap,
  BrowserLogins,
  RefreshTokens,
  TokenIssuer,
} from '../auth/index.ts'
import type { AnonymousAccess } from '../decide/index.ts'
import type { Gate } from '../gate/index.ts'
import type { MetaStore } from '../meta/index.ts'
import type { ObjectStore } from '../objects/index.ts'
import type { Observe, Tracer } from '../operation/index.ts'
import type { MayDo } from '../policies/index.ts'
import type { RequestLimits } from '../rates/index.ts'
import type { Uploads } from '../uploads/index.ts'
import type { Upstreams } from '../upstream/index.ts'
import type { Health } from './health.ts'
import type { Origin } from './origin.ts'

/** What handlers work with. */
export interface RegistryContext {
  meta: MetaStore
  objects: ObjectStore
  uploads: Uploads
  /** Undefined when nothing comes from elsewhere. */
  upstreams: Upstreams | undefined
  /** Of those upstreams. */
  prefixes: readonly string[]
  authenticator: Authenticator
  tokens: TokenIssuer
  refreshTokens: RefreshTokens
  /** Undefined when nobody logs in by a browser. */
  browsers: BrowserLogins | undefined
  bootstrap: Bootstrap
  access: Access
  /** Whether what may be read is given out. */
  gate: Gate
  /** The administration of the registry for somebody, as whose the changes are recorded if the metadata is opened as theirs. */
  administration(meta: MetaStore, caller: { actor: string; may: MayDo }): Administration
  anonymous: AnonymousAccess
  origin: Origin
  /** Undefined when requests are not limited. */
  limits: RequestLimits | undefined
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
  /** The repository in the path, where that is another name of the one that is meant (a former one, an upstream's): tokens may be for either. */
  asked?: string
  query: URLSearchParams
  authentication: Authentication
}
