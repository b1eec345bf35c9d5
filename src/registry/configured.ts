import type { Writable } from 'node:stream'
import { BaleError, type Clock, type Log } from '#base'
import { connectionSettings } from '#transport'
import type { CollectOptions } from './collect.ts'
import {
  type Configuration,
  type Credentials,
  type LdapConfiguration,
  type ListenConfiguration,
  type LoginConfiguration,
  loadClientAuthorities,
  loadCredentials,
  loadTls,
  type ScaledOutContent,
} from './configuration/index.ts'
import { createRegistry, openMember, openRegistryAdmin } from './embedded.ts'
import { createLdapSource } from './login/index.ts'
import { openPostgresMeta } from './meta/index.ts'
import { createFileObjects, createS3Objects, type ObjectStore } from './objects/index.ts'
import type { OperationOptions } from './operation/index.ts'
import {
  administerRegistry,
  type Member,
  openRegistry,
  type Registry,
  type RegistryAdmin,
  type RegistryParts,
  type RegistrySettings,
} from './registry.ts'
import type { ReplicationSettings } from './replication/index.ts'
import type { Report } from './report.ts'
import { type Entrance, type ListenOptions, type ServedRegistry, serveAt, type TlsSource } from './serve.ts'
import { serveWatched } from './serve-watched.ts'
import type { UpstreamSettings } from './upstream/index.ts'

/** What a configuration file does not say. */
export interface Surroundings {
  /** Where the variables are that the file names. */
  environment: Readonly<Record<string, string | undefined>>
  /** Standard output, for a request log that goes there. */
  output?: Writable
  log?: Log
  report?: Report
  clock?: Clock
}

/** A registry that is served as its configuration says. */
export interface ServedConfiguration extends Omit<ServedRegistry, 'registry'> {
  /** Whether there were users when it began. */
  hasUsers: boolean
}

/** Serves the registry that a file describes in this process: an embedded one, or a replica of a scaled-out one. */
export async function serveAlone(
  configuration: Configuration,
  surroundings: Surroundings,
): Promise<ServedConfiguration> {
  const credentials = await loadCredentials(configuration, surroundings.environment)
  const options = {
    ...listenOptions(configuration, credentials, surroundings),
    ...operationOptions(configuration, credentials, surroundings),
  }
  const { registry, ...served } = await serveWatched(options, (watching) =>
    open(configuration, credentials, { ...surroundings, ...watching }),
  )
  return { ...served, hasUsers: (await registry.users.list({ limit: 1 })).length > 0 }
}

interface MemberOptions {
  credentials: Credentials
  member: Member
  entrance: Entrance
  /** One of the processes collects, scans, and answers authorities at an address of their own. */
  isFirst: boolean
}

/** Serves it as one process of a group, with the connections that come by the entrance. */
export async function serveMember(
  configuration: Configuration,
  surroundings: Surroundings & Pick<RegistrySettings, 'observe' | 'tracer'>,
  { credentials, member, entrance, isFirst }: MemberOptions,
): Promise<ServedRegistry> {
  const { observe } = surroundings
  const options = { ...listenOptions(configuration, credentials, surroundings), observe }
  const own = isFirst ? options : { ...options, collectEvery: 0, tls: withoutChallenges(options.tls) }
  const wanted = isFirst ? configuration : { ...configuration, scanning: undefined }
  return await serveAt(entrance, await open(wanted, credentials, surroundings, member), own)
}

async function open(
  configuration: Configuration,
  credentials: Credentials,
  { environment, log, report, clock, observe, tracer }: Surroundings & Pick<RegistrySettings, 'observe' | 'tracer'>,
  member?: Member,
): Promise<Registry> {
  const { content, anonymous, uploads, listen, collection, hooks, limits, login, scanning } = configuration
  const { externalUrl, trustedProxies } = listen
  const cache = { upstreams: upstreamsOf(configuration, credentials), mirror: configuration.mirror }
  const replication = replicationOf(configuration, credentials)
  const given = {
    anonymous,
    ...uploads,
    grace: collection.grace,
    externalUrl,
    trustedProxies,
    hooks,
    ...cache,
    replication,
    scanning,
  }
  const told = { log, report, clock, observe, tracer }
  const settings = {
    ...given,
    requestLimits: limits.requests,
    ...loginSettings(login, credentials),
    connections: connectionSettings(environment),
    ...told,
  }
  if (content.kind === 'embedded') {
    const { directory, minFreePercent } = content
    const options = { ...settings, directory, minFreePercent }
    return await (member ? openMember(options, member) : createRegistry(options))
  }
  const shared = await openShared(content, credentials)
  const redirect = content.objects.kind === 's3' && content.objects.redirect
  return await openRegistry({ ...shared, secret: credentials.secret!, member }, { ...settings, redirect })
}

function upstreamsOf({ upstreams }: Configuration, credentials: Credentials): UpstreamSettings[] {
  return upstreams.map(({ login, ca: _, ...settings }, at) => ({
    ...settings,
    ...loadedOf(login, credentials.upstreams![at]!),
  }))
}

function replicationOf({ replication }: Configuration, credentials: Credentials): ReplicationSettings[] {
  return replication.map(({ login, ca: _, ...settings }, at) => ({
    ...settings,
    ...loadedOf(login, credentials.replication![at]!),
  }))
}

/** What is in the files of a registry that is asked. */
function loadedOf(
  login: { username: string } | undefined,
  { password, ca }: { password?: string; ca?: string },
): Pick<UpstreamSettings, 'login' | 'ca'> {
  return { login: login && { username: login.username, password: password! }, ca }
}

/** Opens the registry that a file describes for its administration, also while it is served. */
export async function openConfiguredAdmin(
  configuration: Configuration,
  { environment, clock }: Surroundings,
): Promise<RegistryAdmin> {
  const { content, hooks, listen, upstreams } = configuration
  const settings = { clock, hooks, externalUrl: listen.externalUrl, upstreams }
  if (content.kind === 'embedded') return await openRegistryAdmin({ directory: content.directory, ...settings })
  const credentials = await loadCredentials(configuration, environment)
  const shared = await openShared(content, credentials)
  return administerRegistry({ ...shared, secret: async () => credentials.secret! }, settings)
}

/** What all replicas share. */
export async function openShared(
  { postgres, objects }: ScaledOutContent,
  credentials: Credentials,
): Promise<Omit<RegistryParts, 'secret' | 'member'>> {
  await using opened = new AsyncDisposableStack()
  const store = openObjects(objects, credentials)
  if ('checkAccess' in store) {
    opened.use(store)
    await store.checkAccess()
  }
  const { url, connections } = postgres
  const meta = await openPostgresMeta({ url, connections, ...credentials.postgres })
  const parts = opened.move()
  return {
    objects: store,
    shared: true,
    meta: {
      ...meta,
      async close() {
        await meta.close()
        await parts.disposeAsync()
      },
    },
  }
}

function loginSettings(
  { ldap, oidc, workloads: rules, refreshTokensUnusedFor, sessions }: LoginConfiguration,
  { login }: Credentials,
): LoginSettings {
  const workloads = rules.map(({ ca: named, ...rule }) => ({ ...rule, ca: named && login!.authorities[named.at] }))
  return {
    ...{ refreshTokensUnusedFor, workloads, sessions, bootstrapToken: login?.bootstrapToken },
    ...(ldap && { loginSource: directoryOf(ldap, login!.ldap!) }),
    ...(oidc && { provider: { ...oidc, clientSecret: login!.oidc!.clientSecret, ca: login!.oidc!.ca } }),
  }
}

type LoginSettings = Pick<
  RegistrySettings,
  'loginSource' | 'provider' | 'workloads' | 'refreshTokensUnusedFor' | 'sessions' | 'bootstrapToken'
>

function directoryOf(
  { bind, ca: _, ...rest }: LdapConfiguration,
  { password, ca }: NonNullable<NonNullable<Credentials['login']>['ldap']>,
) {
  return createLdapSource({ ...rest, ca, bind: bind && { dn: bind.dn, password: password! } })
}

function openObjects(
  objects: ScaledOutContent['objects'],
  { s3 }: Credentials,
): ObjectStore | ReturnType<typeof createS3Objects> {
  if (objects.kind === 'directory') {
    return createFileObjects(objects.directory, { minFreePercent: objects.minFreePercent })
  }
  const { endpoint, region, bucket, prefix, pathStyle, partSize, encryption } = objects
  return createS3Objects({
    ...{ endpoint, region, bucket, prefix, pathStyle, partSize },
    accessKeyId: s3!.accessKey,
    secretAccessKey: s3!.secretKey,
    serverSideEncryption: encryption,
  })
}

/** Of the process that listens. */
export function listenOptions(
  { listen, collection }: Configuration,
  credentials: Credentials,
  { report }: Surroundings,
): ListenOptions {
  const { host, port, tls, insecure, maxConnections, trustedProxies } = listen
  const { every, ...collect } = collection satisfies { every: number } & CollectOptions
  return {
    ...{ host, port, insecure, maxConnections, report },
    tls: tls && tlsSourceOf(tls, credentials),
    trustedProxies: [...trustedProxies],
    collectEvery: every,
    collect,
  }
}

function tlsSourceOf(tls: NonNullable<ListenConfiguration['tls']>, credentials: Credentials): TlsSource {
  if ('certificate' in tls) return () => loadTls(tls)
  const { clientAuthorities } = tls
  const { directory, names, contact, externalAccount, challengeAddress } = tls.acme
  const { ca, hmacKey } = credentials.acme ?? {}
  return {
    acme: {
      ...{ directory, names, contact, authorities: ca },
      ...(externalAccount && { externalAccount: { keyId: externalAccount.keyId, key: hmacKey! } }),
    },
    challengeAddress,
    clientAuthorities: clientAuthorities && (() => loadClientAuthorities(clientAuthorities)),
  }
}

/** Authorities find their answers at another process. */
function withoutChallenges(tls: TlsSource | undefined): TlsSource | undefined {
  return tls && 'acme' in tls ? { ...tls, challengesElsewhere: true } : tls
}

/** What an operator wants to see of it. */
export function operationOptions(
  configuration: Configuration,
  credentials: Credentials,
  surroundings: Surroundings,
): OperationOptions {
  const { metrics, tracing } = configuration
  return {
    metrics,
    tracing: tracing && { ...tracing, headers: credentials.tracing?.headers },
    requestLog: requestLogOf(configuration, surroundings),
  }
}

/** Where the log goes: a stream, or the path of a file. */
export function requestLogOf({ log }: Configuration, { output }: Surroundings): Writable | string | undefined {
  if (log.requests !== 'stdout') return log.requests?.path
  if (output) return output
  throw new BaleError('INVALID_ARGUMENT', 'log.requests is stdout, but there is no standard output to write to')
}
