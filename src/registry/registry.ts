import { statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { BaleError, type Clock, isBaleError, type Log, noLog, systemClock } from '#base'
import { acquireLock, makeDirectory } from '#host/file'
import { type AnonymousAccess, createAuthenticator, createTokenIssuer, createUsers, type Users } from './auth/index.ts'
import { type Collected, type CollectOptions, collect } from './collect.ts'
import { createHandler, createOrigin, type OriginOptions } from './http/index.ts'
import { openSqliteMeta } from './meta/index.ts'
import { createFileObjects } from './objects/index.ts'
import { createUploads } from './uploads/index.ts'

/** Where a registry stores its content, and its access settings. */
export interface RegistryOptions extends OriginOptions {
  /** Everything the registry keeps: `registry.db` and `objects`. Made when missing, 0700. */
  directory: string
  /** What callers without a login may do: nothing by default. `push` is for tests and machines of one user. */
  anonymous?: AnonymousAccess
  /** How long a blob that nothing refers to yet is kept for its pusher. Milliseconds, a day by default. */
  lease?: number
  clock?: Clock
  log?: Log
  /** Told of what is the registry's own fault, for the operator. */
  report?(failure: Error, request: string): void
}

/** A registry that handles requests. Dispose it to close its database. */
export interface Registry extends AsyncDisposable {
  /** For node:http and its like. Never rejects. */
  handler(request: IncomingMessage, response: ServerResponse): Promise<void>
  users: Users
  /** Collects while requests go on. */
  collectGarbage(options?: CollectOptions): Promise<Collected>
  close(): Promise<void>
}

const DEFAULT_LEASE = 24 * 3_600_000

/** An embedded registry: one serving process on a directory (LOCKED for a second one), SQLite and files. */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const { directory, clock = systemClock, log = noLog, lease = DEFAULT_LEASE, anonymous = 'none' } = options
  const origin = createOrigin(options)
  makeRegistryDirectory(directory)
  const lock = await lockDirectory(directory)
  try {
    const { meta, objects } = openParts(directory, clock)
    await meta.freeUploads()
    const tokens = createTokenIssuer({ meta, clock })
    const authenticator = createAuthenticator({ meta, tokens, clock })
    const uploads = createUploads({ meta, objects, clock, lease })
    const report = options.report ?? (() => undefined)
    const context = { meta, objects, uploads, authenticator, tokens, anonymous, origin, clock, log, lease, report }
    const close = async () => {
      await meta.close()
      await lock[Symbol.asyncDispose]()
    }
    return {
      handler: createHandler(context),
      users: createUsers(meta),
      collectGarbage: (how) => collect({ meta, objects, clock }, how),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await lock[Symbol.asyncDispose]()
    throw error
  }
}

/** Administration of a registry's directory, also while it is served. */
export interface RegistryAdmin extends AsyncDisposable {
  users: Users
  collectGarbage(options?: CollectOptions): Promise<Collected>
}

/** Opens the registry's directory for its administration, also while it is served. */
export async function openRegistryAdmin(options: { directory: string; clock?: Clock }): Promise<RegistryAdmin> {
  const { directory, clock = systemClock } = options
  makeRegistryDirectory(directory)
  const { meta, objects } = openParts(directory, clock)
  return {
    users: createUsers(meta),
    collectGarbage: (how) => collect({ meta, objects, clock }, how),
    [Symbol.asyncDispose]: () => meta.close(),
  }
}

async function lockDirectory(directory: string): Promise<AsyncDisposable> {
  try {
    return await acquireLock(join(directory, 'serving.lock'), { timeoutMs: 0 })
  } catch (error) {
    if (!isBaleError(error, 'LOCKED')) throw error
    throw new BaleError('LOCKED', `another process serves ${directory}`, { cause: error })
  }
}

/** Made for its owner alone; one that was there may be read by others (what is secret in it is not), not written. */
function makeRegistryDirectory(directory: string): void {
  makeDirectory(directory)
  const { mode } = statSync(directory)
  if ((mode & 0o022) === 0) return
  throw new BaleError('DENIED', `other users of this machine can write to the directory ${directory}`, {
    hint: `chmod go-w ${directory}`,
  })
}

function openParts(directory: string, clock: Clock) {
  return {
    meta: openSqliteMeta({ path: join(directory, 'registry.db'), clock }),
    objects: createFileObjects(join(directory, 'objects')),
  }
}
