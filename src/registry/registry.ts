import type { IncomingMessage, ServerResponse } from 'node:http'
import { BaleError, type Clock, isBaleError, type Log, noLog, systemClock } from '#base'
import {
  type Accounts,
  type AnonymousAccess,
  createAccess,
  createAccounts,
  createAuthenticator,
  createRefusals,
  createSigningKeys,
  createTokenIssuer,
} from './auth/index.ts'
import { type Checked, type CheckOptions, check } from './check.ts'
import { type Collected, type CollectOptions, collectInTurn, GRACE } from './collect.ts'
import { databaseClock } from './database-clock.ts'
import {
  createHandler,
  createHealth,
  createOrigin,
  LEAST_RATE,
  type LeastRate,
  type OriginOptions,
  watchBodies,
} from './http/index.ts'
import { type Imported, type ImportOptions, importFrom } from './import/index.ts'
import type { MetaStore } from './meta/index.ts'
import type { ObjectStore, Presigner } from './objects/index.ts'
import { type Observe, toAll } from './operation/index.ts'
import { createPolicies, createTags, type Policies, type Tags } from './policies/index.ts'
import { type Report, reportOnce } from './report.ts'
import { createUploads } from './uploads/index.ts'
import { watchedMeta, watchedObjects } from './watched-parts.ts'

/** What a registry is made of. Any number of processes may serve one on the same parts, if those are shared. */
export interface RegistryParts {
  /** What is known. It is closed with the registry. */
  meta: MetaStore
  /** Bytes. */
  objects: ObjectStore | (ObjectStore & Presigner)
  /** Seals the keys that sign tokens; the same in all processes. At least 32 bytes. */
  secret: Uint8Array
  /** Of a process that others stand in for. */
  member?: Member
  /** Runs work that frees space, even on a full disk. */
  whenFull?<T>(work: () => Promise<T>): Promise<T>
}

/** One of the processes that serve a registry together on one machine. */
export interface Member {
  /** What the names of its locks of uploads begin with. */
  holder: string
  /** The same of a process that was killed and that this one replaces: its locks are freed at the start. */
  former?: string
}

/** How a registry behaves, wherever its content is. */
export interface RegistrySettings extends OriginOptions {
  /** What callers without a login may do: nothing by default. `push` is for tests and machines of one user. */
  anonymous?: AnonymousAccess
  /** How long a blob that nothing refers to yet is kept for its pusher. Milliseconds, a day by default. */
  lease?: number
  /** How long bytes that another object replaces stay for downloads that run. Milliseconds, an hour by default. */
  grace?: number
  /** The least that a client must send of a body. */
  leastRate?: LeastRate
  /** Sends clients to the object store for the bytes of blobs, if it can be read by presigned addresses. */
  redirect?: boolean
  /** This machine's; the database's time is what counts. */
  clock?: Clock
  log?: Log
  /** Told of what is the registry's own fault, for the operator. */
  report?: Report
  /** Told of what happens. */
  observe?: Observe
}

/** A registry that handles requests. Dispose it to close its database. */
export interface Registry extends Accounts, AsyncDisposable {
  /** For node:http and its like. Never rejects. */
  handler(request: IncomingMessage, response: ServerResponse): Promise<void>
  policies: Policies
  tags: Tags
  /** Collects while requests go on. LOCKED when another process of the registry collects. */
  collectGarbage(options?: CollectOptions): Promise<Collected>
  /** Has /readyz answer that requests should go to another replica. */
  drain(): void
  close(): Promise<void>
}

const DEFAULT_LEASE = 24 * 3_600_000

/** Opens a registry on its parts, which it closes also when it fails. */
export async function openRegistry(parts: RegistryParts, settings: RegistrySettings = {}): Promise<Registry> {
  const { secret, member, whenFull = (work) => work() } = parts
  const { observe } = settings
  const meta = observe ? watchedMeta(parts.meta, observe) : parts.meta
  const objects = observe ? watchedObjects(parts.objects, observe) : parts.objects
  const {
    clock: machine = systemClock,
    log = noLog,
    lease = DEFAULT_LEASE,
    grace = GRACE,
    anonymous = 'none',
  } = settings
  const closing = new AsyncDisposableStack()
  closing.defer(() => meta.close())
  try {
    const origin = createOrigin(settings)
    const clock = closing.use(await databaseClock(meta, machine))
    if (member?.former !== undefined) await meta.freeUploads(member.former)
    const keys = createSigningKeys({ meta, clock, secret })
    const tokens = createTokenIssuer({ keys, clock })
    const authenticator = createAuthenticator({ meta, tokens, clock })
    const access = createAccess({ meta, anonymous })
    const uploads = createUploads({ meta, objects, clock, lease, grace, holder: member?.holder })
    const report = reportOnce(settings.report ?? (() => undefined), clock)
    const bodies = closing.use(watchBodies(settings.leastRate ?? LEAST_RATE))
    const health = createHealth({ objects, clock })
    const presign = presignerOf(parts, settings)
    const refusals = closing.use(createRefusals({ meta, clock, report }))
    const seeRefusals: Observe = (event) => {
      if (event.kind === 'request-ended') refusals.add(event)
    }
    const told = { log, report, observe: observe ? toAll([seeRefusals, observe]) : seeRefusals }
    const who = { authenticator, tokens, access, anonymous, origin }
    const served = { meta, objects, uploads, clock, lease, presign, ...who }
    return {
      handler: createHandler({ ...served, ...told, bodies, whenFull, health }),
      ...createAccounts(meta),
      policies: createPolicies(meta),
      tags: createTags(meta),
      collectGarbage: (how) => toldOf({ observe, clock }, () => whenFull(() => collectInTurn({ meta, objects }, how))),
      drain() {
        health.draining = true
      },
      close: () => closing.disposeAsync(),
      [Symbol.asyncDispose]: () => closing.disposeAsync(),
    }
  } catch (error) {
    await closing.disposeAsync()
    throw error
  }
}

/** A collection whose outcome is told. */
async function toldOf(
  { observe, clock }: { observe: Observe | undefined; clock: Clock },
  collecting: () => Promise<Collected>,
): Promise<Collected> {
  try {
    const collected = await collecting()
    observe?.({ kind: 'collection-ended', outcome: 'done', bytes: collected.bytes, time: clock.now() })
    return collected
  } catch (error) {
    observe?.({ kind: 'collection-ended', outcome: isBaleError(error, 'LOCKED') ? 'elsewhere' : 'failed' })
    throw error
  }
}

const PRESIGNED_SECONDS = 1200

/** Addresses last no longer than the bytes of a blob stay after it was removed, but for a grace that is next to nothing. */
function presignerOf({ objects }: RegistryParts, { redirect = false, grace = GRACE }: RegistrySettings) {
  if (!redirect) return undefined
  if (!('presign' in objects)) {
    throw new BaleError(
      'INVALID_ARGUMENT',
      'clients cannot be sent to this object store: it has no presigned addresses',
    )
  }
  const seconds = Math.max(60, Math.min(PRESIGNED_SECONDS, Math.floor(grace / 1000)))
  return (key: string) => objects.presign(key, seconds)
}

/** Administration of a registry, also while it is served. */
export interface RegistryAdmin extends Accounts, AsyncDisposable {
  policies: Policies
  tags: Tags
  /** LOCKED when another process of the registry collects. */
  collectGarbage(options?: CollectOptions): Promise<Collected>
  /** Compares what is known with the bytes that are there. */
  check(options?: CheckOptions): Promise<Checked>
  /** Takes over the files of distribution (Debian: docker-registry) below a directory. */
  importFrom(directory: string, options?: ImportOptions): Promise<Imported>
}

/** Administers the registry on these parts, whose metadata it closes. */
export function administerRegistry(
  { meta, objects, whenFull = (work) => work() }: Omit<RegistryParts, 'secret' | 'member'>,
  clock: Clock = systemClock,
): RegistryAdmin {
  const lease = DEFAULT_LEASE
  const uploads = createUploads({ meta, objects, clock, lease, grace: GRACE })
  return {
    ...createAccounts(meta),
    policies: createPolicies(meta),
    tags: createTags(meta),
    collectGarbage: (how) => whenFull(() => collectInTurn({ meta, objects }, how)),
    importFrom: (directory, how) => importFrom({ meta, objects, uploads, lease }, directory, how),
    check: (how) => whenFull(() => check({ meta, objects, clock }, how)),
    [Symbol.asyncDispose]: () => meta.close(),
  }
}
