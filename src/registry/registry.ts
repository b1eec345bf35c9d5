import { statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { BaleError, type Clock, isBaleError, type Log, noLog, systemClock } from '#base'
import { acquireLock, keepReserve, makeDirectory } from '#host/file'
import {
  type AnonymousAccess,
  createAuthenticator,
  createSigningKeys,
  createTokenIssuer,
  createUsers,
  forgetSealedKeys,
  type Users,
} from './auth/index.ts'
import { type BackedUp, type BackupOptions, backUp } from './backup.ts'
import { type Checked, type CheckOptions, check } from './check.ts'
import { type Collected, type CollectOptions, type CollectParts, collect, GRACE } from './collect.ts'
import {
  createHandler,
  createOrigin,
  LEAST_RATE,
  type LeastRate,
  type OriginOptions,
  watchBodies,
} from './http/index.ts'
import { type MetaStore, openSqliteMeta } from './meta/index.ts'
import { createFileObjects, type FileObjectsOptions } from './objects/index.ts'
import { type Report, reportOnce } from './report.ts'
import { readSecretFile } from './secret-file.ts'
import { createUploads } from './uploads/index.ts'

/** Where a registry stores its content, and its access settings. */
export interface RegistryOptions extends OriginOptions {
  /**
   * Everything the registry keeps: `registry.db`, `objects` and, apart from the data, `secret`. Made when missing, 0700;
   * DENIED when others may read or write it.
   */
  directory: string
  /** What callers without a login may do: nothing by default. `push` is for tests and machines of one user. */
  anonymous?: AnonymousAccess
  /** How long a blob that nothing refers to yet is kept for its pusher. Milliseconds, a day by default. */
  lease?: number
  /** Uploads are refused (507) when less of the disk is free. Percent, 1 by default. */
  minFreePercent?: number
  /** The least that a client must send of a body. */
  leastRate?: LeastRate
  clock?: Clock
  log?: Log
  /** Told of what is the registry's own fault, for the operator. */
  report?: Report
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
    const { meta, objects } = openParts(directory, clock, options)
    await meta.freeUploads()
    const keys = createSigningKeys({ meta, clock, secret: await secretOf(directory, meta) })
    const tokens = createTokenIssuer({ keys, clock })
    const authenticator = createAuthenticator({ meta, tokens, clock })
    const uploads = createUploads({ meta, objects, clock, lease, grace: GRACE })
    const report = reportOnce(options.report ?? (() => undefined), clock)
    const bodies = watchBodies(options.leastRate ?? LEAST_RATE)
    const whenFull = createWhenFull(directory)
    const limits = { bodies, whenFull }
    const context = {
      meta,
      objects,
      uploads,
      authenticator,
      tokens,
      anonymous,
      origin,
      clock,
      log,
      lease,
      report,
      ...limits,
    }
    const close = async () => {
      bodies[Symbol.dispose]()
      await meta.close()
      await lock[Symbol.asyncDispose]()
    }
    return {
      handler: createHandler(context),
      users: createUsers(meta),
      collectGarbage: (how) => collectIn(directory, { meta, objects, clock }, how),
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
  /** Compares what is known with the bytes that are there. */
  check(options?: CheckOptions): Promise<Checked>
  /** Copies everything into a directory, which then is a registry's directory itself. */
  backUp(target: string, options?: BackupOptions): Promise<BackedUp>
}

/** Opens the registry's directory for its administration, also while it is served. */
export async function openRegistryAdmin(options: { directory: string; clock?: Clock }): Promise<RegistryAdmin> {
  const { directory, clock = systemClock } = options
  makeRegistryDirectory(directory)
  const { meta, objects } = openParts(directory, clock)
  const whenFull = createWhenFull(directory)
  return {
    users: createUsers(meta),
    collectGarbage: (how) => collectIn(directory, { meta, objects, clock }, how),
    check: (how) => whenFull(() => check({ meta, objects, clock }, how)),
    backUp: (target, how) => backUp({ meta, objects, directory, clock }, target, how),
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

/** The secret of a registry; keys that were sealed with one that is gone are of no use any more. */
async function secretOf(directory: string, meta: MetaStore): Promise<Uint8Array> {
  const { secret, made } = readSecretFile(join(directory, 'secret'))
  if (made) await forgetSealedKeys(meta)
  return secret
}

/** Made for its owner alone; one that was there must be as private: what is in it decides who may do what. */
function makeRegistryDirectory(directory: string): void {
  makeDirectory(directory)
  const { mode } = statSync(directory)
  if ((mode & 0o027) === 0) return
  throw new BaleError('DENIED', `other users of this machine can read or write the directory ${directory}`, {
    hint: `chmod 700 ${directory}`,
  })
}

function openParts(directory: string, clock: Clock, options: FileObjectsOptions = {}) {
  keepReserve(directory, RESERVE)
  return {
    meta: openSqliteMeta({ path: join(directory, 'registry.db'), clock }),
    objects: createFileObjects(join(directory, 'objects'), options),
  }
}

const RESERVE = { mebibytes: 4 }

/** Work that frees space goes on when there is none: the reserve is given up for it. */
function createWhenFull(directory: string) {
  return async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!isBaleError(error, 'NO_SPACE')) throw error
      keepReserve(directory, RESERVE)
      return await work()
    }
  }
}

async function collectIn(directory: string, parts: CollectParts, how?: CollectOptions): Promise<Collected> {
  const collected = await createWhenFull(directory)(() => collect(parts, how))
  keepReserve(directory, RESERVE)
  return collected
}
