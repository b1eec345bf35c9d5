import type { IncomingMessage, ServerResponse } from 'node:http'
import { BaleError, type Clock, type Log, noLog, systemClock } from '#base'
import type { ConnectionSettings } from '#transport'
import type { AcmeOptions, ObtainedCertificate } from './acme/index.ts'
import { type AdministrationCaller, administrationOf } from './administration-of.ts'
import type { Administration } from './api/index.ts'
import { createAccess, createRefusals } from './auth/index.ts'
import { type Checked, type CheckOptions, check } from './check.ts'
import { type Collected, type CollectOptions, GRACE } from './collect.ts'
import { collectWhenFull, type KnownUpstreams, prefixesOf, tellOutcome, unpulledOf } from './collections.ts'
import { databaseClock } from './database-clock.ts'
import type { AnonymousAccess } from './decide/index.ts'
import { createGate, createTelling, type Gate, signedBy } from './gate/index.ts'
import type { HookSettings } from './hooks/index.ts'
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
import { repositorySource } from './local/index.ts'
import type { MetaStore } from './meta/index.ts'
import type { ObjectStore, Presigner } from './objects/index.ts'
import { deliverToHooks, openHooks } from './open-hooks.ts'
import { type LoginSettings, openLogins } from './open-logins.ts'
import { type Observe, type Tracer, toAll } from './operation/index.ts'
import { createRequestLimits, type RequestLimit } from './rates/index.ts'
import { workRegularly } from './regular-work.ts'
import type { ReplicationSettings } from './replication/index.ts'
import { type Report, reportOnce } from './report.ts'
import { openScanner, type ScanningSettings } from './scan/index.ts'
import { createSeal } from './seal/index.ts'
import { createHashThread, createUploads } from './uploads/index.ts'
import type { UpstreamSettings, Upstreams } from './upstream/index.ts'
import { watchedMeta, watchedObjects } from './watched-parts.ts'

/** What a registry is made of. Any number of processes may serve one on the same parts, if those are shared. */
export interface RegistryParts {
  /** What is known. It is closed with the registry. */
  meta: MetaStore
  /** Bytes. */
  objects: ObjectStore | (ObjectStore & Presigner)
  /** Seals the keys that sign tokens; the same in all processes. At least 32 bytes. */
  secret: Uint8Array
  /** Other processes may serve the same parts: limits of requests hold for all of them together. */
  shared?: boolean
  /** Of a process that others stand in for. */
  member?: Member
  /** Runs work that frees space, even on a full disk. */
  whenFull?<T>(work: () => Promise<T>): Promise<T>
  /** Called after each collection that was done. */
  afterCollection?(): void
}

/** One of the processes that serve a registry together on one machine. */
export interface Member {
  /** What the names of its locks of uploads begin with. */
  holder: string
  /** The same of a process that was killed and that this one replaces: its locks are freed at the start. */
  former?: string
}

/** How a registry behaves, wherever its content is. */
export interface RegistrySettings extends OriginOptions, LoginSettings {
  /** What callers without a login may do: nothing by default. `push` is for tests and machines of one user. */
  anonymous?: AnonymousAccess
  /** How long a blob that nothing refers to yet is kept for its pusher. Milliseconds, a day by default. */
  lease?: number
  /** How long bytes that another object replaces stay for downloads that run. Milliseconds, an hour by default. */
  grace?: number
  /** How many requests callers may make; as many as they like by default. */
  requestLimits?: readonly RequestLimit[]
  /** The least that a client must send of a body. */
  leastRate?: LeastRate
  /** Sends clients to the object store for the bytes of blobs, if it can be read by presigned addresses. */
  redirect?: boolean
  /** How hooks are told. */
  hooks?: HookSettings
  /** This machine's; the database's time is what counts. */
  clock?: Clock
  log?: Log
  /** Registries that repositories below a prefix come from. */
  upstreams?: readonly UpstreamSettings[]
  /** The prefix of the one that repositories come from that are not here and are below no prefix, for clients of a mirror. */
  mirror?: string
  /** Images that follow rules to other registries, or from them. */
  replication?: readonly ReplicationSettings[]
  /** Looks at what is inside images; they are not looked at by default. */
  scanning?: ScanningSettings
  /** How upstreams and ends of replication are reached: directly, and with the machine's authorities, by default. */
  connections?: ConnectionSettings
  /** Told of what is the registry's own fault, for the operator. */
  report?: Report
  /** Told of what happens. */
  observe?: Observe
  /** Notes what requests spend their time on. */
  tracer?: Tracer
}

/** A registry that handles requests. Dispose it to close its database. */
export interface Registry extends Administration, AsyncDisposable {
  /** For node:http and its like. Never rejects. */
  handler(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Collects while requests go on. LOCKED when another process of the registry collects. */
  collectGarbage(options?: CollectOptions): Promise<Collected>
  /** Obtains a certificate from an authority, one for all processes of the registry. It is the caller's to dispose before the registry. */
  obtainCertificate(options: AcmeOptions): Promise<ObtainedCertificate>
  /** Has /readyz answer that requests should go to another replica. */
  drain(): void
  close(): Promise<void>
}

const DEFAULT_LEASE = 24 * 3_600_000

/** Opens a registry on its parts, which it closes also when it fails. */
export async function openRegistry(parts: RegistryParts, settings: RegistrySettings = {}): Promise<Registry> {
  const { secret, member, whenFull = (work) => work() } = parts
  const { observe, tracer } = settings
  const { meta, objects } = watchedOf(parts, settings)
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
    const report = reportOnce(settings.report ?? (() => undefined), clock)
    const logins = closing.use(openLogins({ meta, clock, secret, report }, settings))
    const access = createAccess({ meta, anonymous })
    const hashThread = createHashThread()
    if (hashThread) closing.use(hashThread)
    const uploads = createUploads({ meta, objects, clock, lease, grace, hashThread, holder: member?.holder })
    const bodies = closing.use(watchBodies(settings.leastRate ?? LEAST_RATE))
    const health = createHealth({ objects, clock })
    const presign = presignerOf(parts, settings)
    const refusals = closing.use(createRefusals({ meta, clock, report }))
    closing.use(foldRegularly(meta, report))
    const hooks = closing.use(openHooks({ secret: async () => secret, clock }, settings))
    const { sender } = hooks
    const delivering = closing.use(deliverToHooks({ meta, sender, clock, report, observe }, settings.hooks))
    const gate = gateOf({ meta, objects, clock })
    closing.use(tellRegularly({ meta, gate, clock }, report))
    const given = { meta, objects, uploads, lease, clock, log, report, observe, gate }
    const replicating = await openReplicator(settings, given, closing)
    const seeEnd: Observe = (event) => {
      if (event.kind !== 'request-ended') return
      refusals.add(event)
      if (event.method === 'GET' || event.method === 'HEAD') return
      delivering.soon()
      replicating.soon()
      scanning.soon()
    }
    const limits = requestLimitsOf(parts, settings, { clock, report })
    if (limits) closing.use(limits)
    const told = { log, report, tracer, observe: observe ? toAll([seeEnd, observe]) : seeEnd }
    const unpulled = unpulledOf(settings)
    const collectGarbage: Registry['collectGarbage'] = (how) =>
      tellOutcome({ observe, clock }, () => collectWhenFull({ ...parts, meta, objects }, { unpulled, ...how }))
    const prefixes = prefixesOf(settings)
    const administration = (as: MetaStore, caller?: AdministrationCaller) => ({
      ...administrationOf(as, { lease, prefixes, gate, ...caller }),
      hooks: hooks.of(as),
      collectGarbage,
    })
    const who = { ...logins, access, gate, administration, anonymous, origin, limits }
    const seeMiss: Observe = (event) => {
      if (event.kind === 'cache-answered' && event.what === 'manifest' && event.outcome === 'miss') scanning.soon()
    }
    const cached = { observe: observe ? toAll([seeMiss, observe]) : seeMiss }
    const cache = { meta, objects: parts.objects, uploads, clock, log, report, ...cached }
    const upstreams = await openUpstreams(settings, cache, closing)
    const scanning = await scanRegularly(settings, { meta, objects, upstreams, clock, report, observe }, closing)
    const served = { meta, objects, uploads, upstreams, prefixes, clock, lease, presign, ...who }
    return {
      handler: createHandler({ ...served, ...told, bodies, whenFull, health }),
      ...administration(meta),
      obtainCertificate: (wanted) => obtainCertificate({ meta, secret, clock, report }, wanted),
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

type ToldOnce = (failure: unknown, what: string) => void

/** The parts as they are, or with whoever looks at what is asked of them. */
function watchedOf({ meta, objects }: RegistryParts, { observe, tracer }: RegistrySettings) {
  if (!observe && !tracer) return { meta, objects }
  const watching = { observe, tracer }
  return { meta: watchedMeta(meta, watching), objects: watchedObjects(objects, watching) }
}

function gateOf({ meta, objects, clock }: { meta: MetaStore; objects: ObjectStore; clock: Clock }): Gate {
  const open = (repository: string) => repositorySource({ meta, objects, repository })
  return createGate({ meta, clock, isSigned: signedBy({ open, clock }) })
}

async function obtainCertificate(
  { secret, ...parts }: { meta: MetaStore; secret: Uint8Array; clock: Clock; report: ToldOnce },
  wanted: AcmeOptions,
): Promise<ObtainedCertificate> {
  const { obtainCertificate } = await import('./acme/index.ts')
  return await obtainCertificate({ ...parts, seal: createSeal(secret, 'certificates of this registry') }, wanted)
}

/** Most registries have none: what they need is loaded when there are some. */
async function openUpstreams(
  { upstreams = [], mirror, connections }: RegistrySettings,
  parts: Omit<Parameters<typeof import('./upstream/index.ts').createUpstreams>[0], 'upstreams'>,
  closing: AsyncDisposableStack,
): Promise<Upstreams | undefined> {
  if (upstreams.length === 0 && mirror === undefined) return undefined
  const { createUpstreams } = await import('./upstream/index.ts')
  return closing.use(createUpstreams({ ...parts, upstreams, mirror, connections }))
}

const FOLD_EVERY = 5_000

/** Adds up what repositories use. Any number of processes may do so. */
function foldRegularly(meta: MetaStore, report: ToldOnce): AsyncDisposable {
  const failed = (error: unknown) => report(error, 'adding up what repositories use')
  return workRegularly(async () => void (await meta.foldUsage()), { every: FOLD_EVERY, failed })
}

const TELL_EVERY = 5_000

function tellRegularly(parts: Parameters<typeof createTelling>[0], report: ToldOnce): AsyncDisposable {
  const failed = (error: unknown) => report(error, 'looking at what gates judge otherwise')
  const telling = createTelling(parts)
  return workRegularly((signal) => telling.round(signal), { every: TELL_EVERY, failed })
}

/** What other processes changed, and what is due again, waits no longer. Milliseconds. */
const REPLICATE_EVERY = 5_000

/** What does what rules have to do, soon after changes. Without rules, what an earlier configuration had is forgotten. */
async function openReplicator(
  { replication = [], upstreams, connections }: RegistrySettings,
  parts: Omit<Parameters<typeof import('./replication/index.ts').createReplicator>[0], 'rules' | 'connections'>,
  closing: AsyncDisposableStack,
): Promise<{ soon(): void }> {
  if (replication.length === 0) {
    await parts.meta.setReplicationRules([])
    return { soon: () => undefined }
  }
  const { checkedRules, createReplicator } = await import('./replication/index.ts')
  const rules = checkedRules(replication, prefixesOf({ upstreams }))
  const replicator = closing.use(createReplicator({ ...parts, rules, connections }))
  await replicator.begin()
  const failed = (error: unknown) => parts.report(error, 'replicating')
  return closing.use(workRegularly(() => replicator.round(), { every: REPLICATE_EVERY, failed }))
}

/** What other processes took in is looked at no later. Milliseconds. */
const SCAN_EVERY = 2_000

/** Looks at images soon after they came, if that is wanted. */
async function scanRegularly(
  { scanning }: RegistrySettings,
  parts: Omit<Parameters<typeof openScanner>[0], 'settings'>,
  closing: AsyncDisposableStack,
): Promise<{ soon(): void }> {
  if (!scanning) return { soon: () => undefined }
  const scanner = closing.use(await openScanner({ ...parts, settings: scanning }))
  const failed = (error: unknown) => parts.report(error, 'scanning')
  const working = closing.use(workRegularly(() => scanner.round(), { every: SCAN_EVERY, failed }))
  working.soon()
  return working
}

/** Undefined without limits: then requests cost nothing more. */
function requestLimitsOf(
  { meta, shared = false }: RegistryParts,
  { requestLimits = [] }: RegistrySettings,
  { clock, report }: { clock: Clock; report: ToldOnce },
) {
  if (requestLimits.length === 0) return undefined
  return createRequestLimits({ limits: requestLimits, clock, report, meta: shared ? meta : undefined })
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
export interface RegistryAdmin extends Administration, AsyncDisposable {
  /** LOCKED when another process of the registry collects. */
  collectGarbage(options?: CollectOptions): Promise<Collected>
  /** Compares what is known with the bytes that are there. */
  check(options?: CheckOptions): Promise<Checked>
  /** Takes over the files of distribution (Debian: docker-registry) below a directory. */
  importFrom(directory: string, options?: ImportOptions): Promise<Imported>
}

/** What a registry is made of, for its administration, which seldom needs the secret. */
export interface AdminParts extends Omit<RegistryParts, 'secret'> {
  secret(): Promise<Uint8Array>
}

/** What an administration needs to know of how a registry behaves. */
export interface AdminSettings extends Pick<RegistrySettings, 'clock' | 'hooks' | 'externalUrl'>, KnownUpstreams {}

/** Administers the registry on these parts, whose metadata it closes. */
export function administerRegistry(parts: AdminParts, settings: AdminSettings = {}): RegistryAdmin {
  const { meta, objects, secret, whenFull = (work) => work() } = parts
  const { clock = systemClock } = settings
  const [unpulled, prefixes] = [unpulledOf(settings), prefixesOf(settings)]
  const hooks = openHooks({ secret, clock }, settings)
  const lease = DEFAULT_LEASE
  const uploads = createUploads({ meta, objects, clock, lease, grace: GRACE })
  return {
    ...administrationOf(meta, { lease, prefixes, gate: gateOf({ meta, objects, clock }) }),
    hooks: hooks.of(meta),
    collectGarbage: (how) => collectWhenFull(parts, { unpulled, ...how }),
    importFrom: (directory, how) => importFrom({ meta, objects, uploads, lease, prefixes }, directory, how),
    check: (how) => whenFull(() => check({ meta, objects, clock }, how)),
    async [Symbol.asyncDispose]() {
      await hooks[Symbol.asyncDispose]()
      await meta.close()
    },
  }
}
