import type { Writable } from 'node:stream'
import { BaleError, type Clock, type Log } from '#base'
import type { CollectOptions } from './collect.ts'
import {
  type Configuration,
  type Credentials,
  type ListenConfiguration,
  loadClientAuthorities,
  loadCredentials,
  loadTls,
  type ScaledOutContent,
} from './configuration/index.ts'
import { createRegistry, openRegistryAdmin } from './embedded.ts'
import { openPostgresMeta } from './meta/index.ts'
import { createFileObjects, createS3Objects, type ObjectStore } from './objects/index.ts'
import {
  administerRegistry,
  openRegistry,
  type Registry,
  type RegistryAdmin,
  type RegistryParts,
  type RegistrySettings,
} from './registry.ts'
import type { Report } from './report.ts'
import type { ListenOptions, ServedRegistry, TlsSource } from './serve.ts'
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

/** Serves the registry that a file describes: an embedded one, or a replica of a scaled-out one. */
export async function serveConfigured(
  configuration: Configuration,
  surroundings: Surroundings,
): Promise<ServedRegistry> {
  const credentials = await loadCredentials(configuration, surroundings.environment)
  const listen = listenOptions(configuration, credentials, surroundings)
  const { metrics, tracing } = configuration
  const options = {
    ...listen,
    metrics,
    tracing: tracing && { ...tracing, headers: credentials.tracing?.headers },
    requestLog: requestLogOf(configuration, surroundings),
  }
  return await serveWatched(options, (watching) => open(configuration, credentials, { ...surroundings, ...watching }))
}

async function open(
  configuration: Configuration,
  credentials: Credentials,
  { log, report, clock, observe, tracer }: Surroundings & Pick<RegistrySettings, 'observe' | 'tracer'>,
): Promise<Registry> {
  const { content, anonymous, uploads, listen, collection } = configuration
  const { externalUrl, trustedProxies } = listen
  const given = { anonymous, ...uploads, grace: collection.grace, externalUrl, trustedProxies }
  const settings = { ...given, log, report, clock, observe, tracer }
  if (content.kind === 'embedded') {
    const { directory, minFreePercent } = content
    return await createRegistry({ ...settings, directory, minFreePercent })
  }
  const shared = await openShared(content, credentials)
  const redirect = content.objects.kind === 's3' && content.objects.redirect
  return await openRegistry({ ...shared, secret: credentials.secret! }, { ...settings, redirect })
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
async function openShared(
  { postgres, objects }: ScaledOutContent,
  credentials: Credentials,
): Promise<Omit<RegistryParts, 'secret'>> {
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

function listenOptions(
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
  const { directory, names, contact, challengeAddress } = tls.acme
  return {
    acme: { directory, names, contact, authorities: credentials.acme?.ca },
    challengeAddress,
    clientAuthorities: clientAuthorities && (() => loadClientAuthorities(clientAuthorities)),
  }
}

function requestLogOf({ log }: Configuration, { output }: Surroundings): Writable | string | undefined {
  if (log.requests !== 'stdout') return log.requests?.path
  if (output) return output
  throw new BaleError('INVALID_ARGUMENT', 'log.requests is stdout, but there is no standard output to write to')
}
