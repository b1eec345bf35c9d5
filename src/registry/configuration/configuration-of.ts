import { dirname } from 'node:path'
import type {
  Configuration,
  EmbeddedContent,
  PostgresConfiguration,
  ReplicationConfiguration,
  S3Configuration,
  ScaledOutContent,
  TlsFiles,
  TlsOfAuthority,
  TracingConfiguration,
  UpstreamConfiguration,
} from './configuration.ts'
import { loginOf } from './login-of.ts'
import { Names } from './names.ts'
import type { FileContent } from './schema.ts'

/** Of the disk, as without a configuration file. */
const MIN_FREE_PERCENT = 1

/**
 * The configuration that the content of the file `path` means. `at` tells where a key stands:
 * `registry.yaml:3:10: listen.tls.key`.
 */
export function configurationOf(content: FileContent, path: string, at: (key: string) => string): Configuration {
  const {
    listen,
    anonymous,
    uploads,
    collection,
    upstreams,
    mirror,
    hooks,
    limits,
    log,
    metrics,
    tracing,
    replication,
    scanning,
  } = content
  const names = new Names(dirname(path), at)
  return frozen({
    listen: {
      ...listen.address,
      tls: listen.tls && tlsOf(listen.tls, names),
      insecure: listen.insecure,
      maxConnections: listen['max-connections'],
      workers: listen.workers,
      externalUrl: listen['external-url'],
      trustedProxies: listen['trusted-proxies'],
    },
    content: contentOf(content, names),
    anonymous,
    login: loginOf(content.login, names),
    uploads: {
      lease: uploads.lease,
      leastRate: {
        bytesPerSecond: uploads['least-rate']['bytes-per-second'],
        period: uploads['least-rate'].period,
      },
    },
    collection: {
      every: collection.every,
      grace: collection.grace,
      uploadsOlderThan: collection['uploads-older-than'],
      untaggedOlderThan: collection['untagged-older-than'],
      restorableFor: collection['restorable-for'],
      auditFor: collection['audit-for'],
      deliveriesFor: collection['deliveries-for'],
    },
    upstreams: upstreams.map((one, at) => upstreamOf(one, `upstreams[${at}]`, names)),
    mirror,
    hooks: { allowAddresses: hooks['allow-addresses'], retryFor: hooks['retry-for'] },
    replication: replication.map((one, at) => replicationOf(one, `replication[${at}]`, names)),
    scanning: scanning && {
      ...scanning,
      advisories: scanning.advisories === undefined ? undefined : names.path(scanning.advisories),
    },
    limits: { requests: limits.requests },
    log: {
      requests:
        log.requests === undefined || log.requests === 'stdout' ? log.requests : { path: names.path(log.requests) },
    },
    metrics: metrics && { ...metrics.address },
    tracing: tracing && tracingOf(tracing, names),
  })
}

/** The rules hold: there is an authority, or a certificate with its key. */
function tlsOf(tls: NonNullable<FileContent['listen']['tls']>, names: Names): TlsFiles | TlsOfAuthority {
  const { acme, certificate, key, 'client-authorities': authorities } = tls
  const clients = authorities !== undefined && {
    clientAuthorities: names.file('listen.tls.client-authorities', authorities),
  }
  if (acme) return { acme: acmeOf(acme, names), ...clients }
  return {
    certificate: names.file('listen.tls.certificate', certificate!),
    key: names.file('listen.tls.key', key!),
    ...clients,
  }
}

function tracingOf(tracing: NonNullable<FileContent['tracing']>, names: Names): TracingConfiguration {
  const { endpoint, sample, 'headers-file': headers } = tracing
  return {
    ...{ endpoint, sample },
    ...(headers !== undefined && { headersFile: names.file('tracing.headers-file', headers) }),
  }
}

type Acme = NonNullable<NonNullable<FileContent['listen']['tls']>['acme']>

function acmeOf(acme: Acme, names: Names): TlsOfAuthority['acme'] {
  const { directory, names: hosts, contact, 'ca-file': ca, challenge, 'http-address': address } = acme
  const external = acme['external-account']
  return {
    ...{ directory, names: [...new Set(hosts)], contact },
    ...(external && {
      externalAccount: {
        keyId: external['key-id'],
        key: names.secret('listen.tls.acme.external-account.hmac-key', external)!,
      },
    }),
    ca: ca === undefined ? undefined : names.file('listen.tls.acme.ca-file', ca),
    challengeAddress: challenge === 'http-01' ? { ...(address ?? ANY_PORT_80) } : undefined,
  }
}

const ANY_PORT_80 = { host: '0.0.0.0', port: 80 }

/** The rules hold: there is a directory, or all of the others. */
function contentOf(content: FileContent, names: Names): EmbeddedContent | ScaledOutContent {
  const { directory, metadata, objects, uploads } = content
  const minFreePercent = uploads['min-free'] ?? MIN_FREE_PERCENT
  if (directory !== undefined) return { kind: 'embedded', directory: names.path(directory), minFreePercent }
  return {
    kind: 'scaled-out',
    postgres: postgresOf(metadata!.postgres, names),
    objects: objects!.s3
      ? s3Of(objects!.s3, names)
      : { kind: 'directory', directory: names.path(objects!.directory!), minFreePercent },
    secret: names.secret('secret', content)!,
  }
}

function upstreamOf(upstream: FileContent['upstreams'][number], key: string, names: Names): UpstreamConfiguration {
  const { prefix, namespaces, allow } = upstream
  return {
    ...{ prefix, namespaces, allow },
    ...registryOf(upstream, key, names),
    tagsFreshFor: upstream['tags-fresh-for'],
    serveStaleFor: upstream['serve-stale-for'],
    cacheFor: upstream['cache-for'],
  }
}

function replicationOf(rule: FileContent['replication'][number], key: string, names: Names): ReplicationConfiguration {
  const { name, direction, repositories, tags, every, referrers } = rule
  return {
    ...{ name, direction, repositories, tags, every, referrers },
    ...registryOf(rule, key, names),
    stripPrefix: rule['strip-prefix'],
    toPrefix: rule['to-prefix'],
    onPush: rule.on === 'push',
    deletes: rule.delete,
  }
}

/** Where another registry is, and how it is reached. */
function registryOf(
  group: FileContent['upstreams'][number] | FileContent['replication'][number],
  key: string,
  names: Names,
): Pick<UpstreamConfiguration, 'url' | 'insecure' | 'login' | 'tokenService' | 'ca'> {
  const { registry, username, insecure } = group
  const ca = group['ca-file']
  const password = names.secret(`${key}.password`, group)
  return {
    ...{ url: registry, insecure },
    // The rules hold: there are both, or none of them.
    login: username === undefined ? undefined : { username, password: password! },
    tokenService: group['token-service'],
    ca: ca === undefined ? undefined : names.file(`${key}.ca-file`, ca),
  }
}

type Metadata = NonNullable<FileContent['metadata']>
type Objects = NonNullable<FileContent['objects']>

function postgresOf(postgres: Metadata['postgres'], names: Names): PostgresConfiguration {
  const ca = postgres['ca-file']
  return {
    url: postgres.url,
    password: names.secret('metadata.postgres.password', postgres),
    ca: ca === undefined ? undefined : names.file('metadata.postgres.ca-file', ca),
    connections: postgres.pool,
  }
}

function s3Of(s3: NonNullable<Objects['s3']>, names: Names): S3Configuration {
  const { endpoint, region, bucket, prefix, encryption, redirect } = s3
  return {
    kind: 's3',
    ...{ endpoint, region, bucket, prefix, encryption, redirect },
    pathStyle: s3['path-style'],
    accessKey: names.secret('objects.s3.access-key', s3)!,
    secretKey: names.secret('objects.s3.secret-key', s3)!,
    partSize: s3['part-size'],
  }
}

function frozen<T extends object>(value: T): Readonly<T> {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) frozen(part)
  return Object.freeze(value)
}
