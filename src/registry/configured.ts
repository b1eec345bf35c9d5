import type { Writable } from 'node:stream'
import { BaleError, type Clock, type Log } from '#base'
import type { CollectOptions } from './collect.ts'
import {
  type Configuration,
  type Credentials,
  loadCredentials,
  loadTls,
  type ScaledOutContent,
} from './configuration/index.ts'
import { createRegistry, openMember, openRegistryAdmin } from './embedded.ts'
import { openPostgresMeta } from './meta/index.ts'
import { createFileObjects, createS3Objects, type ObjectStore } from './objects/index.ts'
import {
  administerRegistry,
  type Member,
  openRegistry,
  type Registry,
  type RegistryAdmin,
  type RegistryParts,
  type RegistrySettings,
} from './registry.ts'
import type { Report } from './report.ts'
import { type Entrance, type ListenOptions, type ServedRegistry, serveAt } from './serve.ts'
import { serveWatched } from './serve-watched.ts'

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
  const listen = listenOptions(configuration, surroundings)
  const { metrics } = configuration
  const options = { ...listen, metrics, requestLog: requestLogOf(configuration, surroundings) }
  const { registry, ...served } = await serveWatched(options, (observe) =>
    open(configuration, credentials, { ...surroundings, observe }),
  )
  return { ...served, hasUsers: (await registry.users.list()).length > 0 }
}

/** Serves it as one process of a group, with the connections that come by the entrance. */
export async function serveMember(
  configuration: Configuration,
  surroundings: Surroundings & Pick<RegistrySettings, 'observe'>,
  { member, entrance, collects }: { member: Member; entrance: Entrance; collects: boolean },
): Promise<ServedRegistry> {
  const credentials = await loadCredentials(configuration, surroundings.environment)
  const { observe } = surroundings
  const options = { ...listenOptions(configuration, surroundings), observe, ...(!collects && { collectEvery: 0 }) }
  return await serveAt(entrance, await open(configuration, credentials, surroundings, member), options)
}

async function open(
  configuration: Configuration,
  credentials: Credentials,
  { log, report, clock, observe }: Surroundings & Pick<RegistrySettings, 'observe'>,
  member?: Member,
): Promise<Registry> {
  const { content, anonymous, uploads, listen, collection } = configuration
  const { externalUrl, trustedProxies } = listen
  const given = { anonymous, ...uploads, grace: collection.grace, externalUrl, trustedProxies }
  const settings = { ...given, log, report, clock, observe }
  if (content.kind === 'embedded') {
    const { directory, minFreePercent } = content
    const options = { ...settings, directory, minFreePercent }
    return await (member ? openMember(options, member) : createRegistry(options))
  }
  const shared = await openShared(content, credentials)
  const redirect = content.objects.kind === 's3' && content.objects.redirect
  return await openRegistry({ ...shared, secret: credentials.secret!, member }, { ...settings, redirect })
}

/** Opens the registry that a file describes for its administration, also while it is served. */
export async function openConfiguredAdmin(
  configuration: Configuration,
  { environment, clock }: Surroundings,
): Promise<RegistryAdmin> {
  const { content } = configuration
  if (content.kind === 'embedded') return await openRegistryAdmin({ directory: content.directory, clock })
  return administerRegistry(await openShared(content, await loadCredentials(configuration, environment)), clock)
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
    meta: {
      ...meta,
      async close() {
        await meta.close()
        await parts.disposeAsync()
      },
    },
  }
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
export function listenOptions({ listen, collection }: Configuration, { report }: Surroundings): ListenOptions {
  const { host, port, tls, insecure, maxConnections, trustedProxies } = listen
  const { every, ...collect } = collection satisfies { every: number } & CollectOptions
  return {
    ...{ host, port, insecure, maxConnections, report },
    tls: tls && (() => loadTls(tls)),
    trustedProxies: [...trustedProxies],
    collectEvery: every,
    collect,
  }
}

/** Where the log goes: a stream, or the path of a file. */
export function requestLogOf({ log }: Configuration, { output }: Surroundings): Writable | string | undefined {
  if (log.requests !== 'stdout') return log.requests?.path
  if (output) return output
  throw new BaleError('INVALID_ARGUMENT', 'log.requests is stdout, but there is no standard output to write to')
}
