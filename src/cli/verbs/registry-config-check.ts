import { isBaleError } from '#base'
import { binarySize, formatDuration } from '#docker'
import { defineVerb } from '../verb/verb.ts'
import { type Configuration, loadRegistry } from './registry.ts'

export const verb = defineVerb({
  name: 'registry config check',
  summary: 'Check a configuration file of a registry and summarize it',
  usage: 'FILE',
  arguments: { min: 1, max: 1 },
  options: [
    {
      flags: '--no-files',
      description: 'Do not look at the files and environment variables that it names, as on another machine',
    },
  ],
  examples: [
    {
      command: 'bale registry config check /etc/bale/registry.yaml',
      explains: 'Prints what the registry would be; or all that is wrong, with line and column, and exits with 1',
    },
    {
      command: 'bale registry config check --no-files registry.yaml',
      explains: 'Where the certificates and secrets are not at hand',
    },
  ],
  async run({ args, options, io }) {
    const { loadCredentials, readConfiguration } = await loadRegistry()
    try {
      const configuration = await readConfiguration(args[0]!)
      if (!options.noFiles) await loadCredentials(configuration, io.environment)
      await io.print(summaryLines(configuration).join('\n'))
      return 0
    } catch (error) {
      if (!isBaleError(error, 'INVALID_ARGUMENT')) throw error
      // Each problem is a line that begins with its place, as editors read it.
      io.warn(error.message)
      return 1
    }
  },
})

/** What the registry would be. Of credentials only their place is shown. */
function summaryLines(configuration: Configuration): string[] {
  const { listen, content, anonymous, login, uploads, collection, hooks, limits, log, metrics, tracing } = configuration
  const { upstreams, mirror, replication } = configuration
  return [
    ...listenLines(listen),
    ...(content.kind === 'embedded'
      ? [`Directory: ${content.directory}`, ` Kept Free: ${content.minFreePercent}%`]
      : scaledOutLines(content)),
    `Without a Login: ${anonymous}`,
    ...loginLines(login),
    `Unreferenced Blobs Kept: ${time(uploads.lease)}`,
    `Least Rate of Bodies: ${uploads.leastRate.bytesPerSecond} bytes per second, over ${time(uploads.leastRate.period)}`,
    `Collection: every ${time(collection.every)}`,
    ` Grace: ${time(collection.grace)}`,
    ` Unfinished Uploads: after ${time(collection.uploadsOlderThan)}`,
    ` Untagged Manifests: ${collection.untaggedOlderThan === undefined ? 'kept' : `after ${time(collection.untaggedOlderThan)}`}`,
    ` Restorable Tags: for ${time(collection.restorableFor)}`,
    ` Audit Log: for ${time(collection.auditFor)}`,
    ` Deliveries of Hooks: for ${time(collection.deliveriesFor)}`,
    `Hooks: tried for ${time(hooks.retryFor)}`,
    ...(hooks.allowAddresses.length > 0 ? [` Also at: ${hooks.allowAddresses.join(', ')}`] : []),
    ...upstreams.flatMap(upstreamLines),
    ...(mirror === undefined ? [] : [`Mirror of: ${mirror}`]),
    ...replication.flatMap(replicationLines),
    ...limits.requests.map((limit) => `Limit: ${limitWords(limit)}`),
    ...(log.requests === undefined ? [] : [`Request Log: ${log.requests === 'stdout' ? 'stdout' : log.requests.path}`]),
    ...(tracing === undefined ? [] : [`Traces: ${tracing.sample * 100}% of requests to ${tracing.endpoint}`]),
    ...(metrics === undefined ? [] : [`Metrics: http://${hostPort(metrics)}/metrics`]),
  ]
}

type Limit = Configuration['limits']['requests'][number]

const limitWords = ({ who, per, what, most, within }: Limit) =>
  `${most} ${what} in ${time(within)} for each ${per} of ${who}`

/** `24h` for Go's `24h0m0s`. */
const time = (milliseconds: number) =>
  formatDuration(milliseconds * 1e6)
    .replace(/m0s$/, 'm')
    .replace(/h0m$/, 'h')

const hostPort = ({ host, port }: { host: string; port: number }) =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`

function listenLines({
  host,
  port,
  tls,
  externalUrl,
  trustedProxies,
  maxConnections,
  workers,
}: Configuration['listen']): string[] {
  const url = `${tls ? 'https' : 'http'}://${hostPort({ host, port })}`
  return [
    `Listens on: ${url}`,
    ...(tls ? certificateLines(tls) : []),
    ...(tls?.clientAuthorities ? [` Clients Need a Certificate of: ${tls.clientAuthorities.path}`] : []),
    ...(externalUrl === undefined ? [] : [` External URL: ${externalUrl}`]),
    ...(trustedProxies.length > 0 ? [` Trusted Proxies: ${trustedProxies.join(', ')}`] : []),
    ` Connections: ${maxConnections}`,
    ...(workers === 1 ? [] : [` Processes: ${workers}`]),
  ]
}

function loginLines({
  refreshTokensUnusedFor: unused,
  sessions,
  bootstrapToken,
  oidc,
  ldap,
  workloads,
}: Configuration['login']): string[] {
  const browsers = `for ${time(sessions.unusedFor)} without use, ${time(sessions.lifetime)} at most`
  return [
    ...(bootstrapToken ? [`First Administrator: with the token in ${sourceWords(bootstrapToken)}`] : []),
    `Logins Kept by Clients: ${unused === 0 ? 'as passwords' : `for ${time(unused)} without use`}`,
    `Logins in Browsers: ${sessions.unusedFor === 0 ? 'none' : browsers}`,
    ...(oidc ? providerLines(oidc) : []),
    ...(ldap ? directoryLines(ldap) : []),
    ...workloads.map(({ issuer, audience, when, as, lifetime }) => {
      const claims = Object.entries(when).map(([name, pattern]) => `${name}=${pattern}`)
      return `Workloads: ${as} for ${time(lifetime)}, with a token of ${issuer} for ${audience} and ${claims.join(', ')}`
    }),
  ]
}

type Provider = NonNullable<Configuration['login']['oidc']>

function providerLines({
  issuer,
  clientId,
  clientSecret,
  ca,
  scopes,
  nameClaim,
  groupsClaim,
  rules,
}: Provider): string[] {
  return [
    `Provider: ${issuer}, where the registry is ${clientId}`,
    ` Secret: ${clientSecret ? sourceWords(clientSecret) : 'none'}`,
    ...(ca ? [` Authorities: ${ca.path}`] : []),
    ` Names: ${nameClaim}, of the scopes ${scopes.join(' ')}`,
    ...(groupsClaim === undefined ? [] : [` Groups: ${groupsClaim}, rules: ${rules.length}`]),
  ]
}

function upstreamLines({
  prefix,
  url,
  login,
  ca,
  allow,
  tagsFreshFor,
  cacheFor,
}: Configuration['upstreams'][number]): string[] {
  return [
    `Upstream: ${url}, below ${prefix}`,
    ...otherLines({ login, ca }),
    ...(allow ? [` Repositories: ${allow.join(', ')}`] : []),
    ` Kept: tags for ${time(tagsFreshFor)}, content ${cacheFor === undefined ? 'for ever' : `for ${time(cacheFor)} without a pull`}`,
  ]
}

function replicationLines(rule: Configuration['replication'][number]): string[] {
  const { name, direction, url, repositories, tags, onPush, every, referrers, deletes } = rule
  const when = [...(onPush ? ['at each push'] : []), ...(every === undefined ? [] : [`every ${time(every)}`])]
  const follow = [...(referrers ? ['what refers to it'] : []), ...(deletes ? ['deletions of tags'] : [])]
  return [
    `Replication: ${name}, ${direction === 'push' ? 'to' : 'from'} ${url}`,
    ...otherLines(rule),
    ` Images: ${repositories.join(', ')}, tags: ${tags.join(', ')}`,
    ` When: ${when.join(', ') || 'when somebody says so'}`,
    ` Along With It: ${follow.join(', ') || 'nothing'}`,
  ]
}

/** Of another registry. */
function otherLines({ login, ca }: Pick<Configuration['replication'][number], 'login' | 'ca'>): string[] {
  return [
    ` Login: ${login ? `${login.username}, ${sourceWords(login.password)}` : 'none'}`,
    ...(ca ? [` Authorities: ${ca.path}`] : []),
  ]
}

type Directory = NonNullable<Configuration['login']['ldap']>

function directoryLines({ url, startTls, ca, bind, users, groups, timeout, rememberFor }: Directory): string[] {
  return [
    `User Directory: ${url}${startTls ? ', with StartTLS' : ''}`,
    ...(ca ? [` Authorities: ${ca.path}`] : []),
    ` Searched by: ${bind ? `${bind.dn}, ${sourceWords(bind.password)}` : 'nobody'}`,
    ` Users: ${users.filter} below ${users.base}${users.id === undefined ? '' : `, told apart by ${users.id}`}`,
    ...(groups ? [` Groups: ${groups.filter} below ${groups.base}, rules: ${groups.rules.length}`] : []),
    ` Answers: within ${time(timeout)}, remembered for ${time(rememberFor)}`,
  ]
}

function certificateLines(tls: NonNullable<Configuration['listen']['tls']>): string[] {
  if ('certificate' in tls) return [` Certificate: ${tls.certificate.path}`, ` Key: ${tls.key.path}`]
  const { directory, names, challengeAddress } = tls.acme
  const challenge = challengeAddress ? `http-01 at ${hostPort(challengeAddress)}` : 'tls-alpn-01'
  return [` Certificate: for ${names.join(', ')} from ${directory}`, ` Challenge: ${challenge}`]
}

type ScaledOut = Extract<Configuration['content'], { kind: 'scaled-out' }>

function scaledOutLines({ postgres, objects, secret }: ScaledOut): string[] {
  return [
    `Metadata: ${postgres.url}`,
    ` Password: ${postgres.password ? sourceWords(postgres.password) : 'none'}`,
    ...(postgres.ca ? [` Authority: ${postgres.ca.path}`] : []),
    ` Connections: ${postgres.connections}`,
    ...(objects.kind === 's3'
      ? storeLines(objects)
      : [`Objects: ${objects.directory}, which all replicas share`, ` Kept Free: ${objects.minFreePercent}%`]),
    `Secret: ${sourceWords(secret)}`,
  ]
}

const sourceWords = (source: ScaledOut['secret']) =>
  'path' in source ? source.path : `environment variable ${source.variable}`

function storeLines(store: Extract<ScaledOut['objects'], { kind: 's3' }>): string[] {
  const { encryption } = store
  return [
    `Objects: bucket ${store.bucket} at ${store.endpoint}`,
    ...(store.prefix === '' ? [] : [` Prefix: ${store.prefix}`]),
    ` Region: ${store.region}`,
    ` Access Key: ${sourceWords(store.accessKey)}, ${sourceWords(store.secretKey)}`,
    ` Bucket Named in: ${store.pathStyle ? 'path' : 'host'}`,
    ` Parts: ${binarySize(store.partSize)}`,
    ` Encryption: ${encryption === undefined ? 'none of its own' : encryption === 'AES256' ? encryption : `key ${encryption.kms}`}`,
    ` Blobs Come from: ${store.redirect ? 'the store' : 'the registry'}`,
  ]
}
