import * as v from 'valibot'
import { CALLERS, COUNTED_PER, LIMITED } from '../rates/index.ts'
import { LEAST_SCAN_MEMORY, SCAN_DEFAULTS } from '../scan/index.ts'
import { login } from './login-schema.ts'
import {
  addressRange,
  choice,
  duration,
  expects,
  flag,
  group,
  hostName,
  list,
  listenAddress,
  origin,
  path,
  percentage,
  postgresUrl,
  ratio,
  secureUrl,
  size,
  text,
  variable,
  webUrl,
  wholeNumber,
} from './values.ts'

const acme = group('Obtains the certificate from an authority by ACME, and a new one before it expires', {
  directory: secureUrl("URL of the authority's directory", 'https://acme-v02.api.letsencrypt.org/directory'),
  names: v.pipe(
    v.array(hostName('A name by which clients reach the registry'), expects('a list of host names')),
    v.minLength(1, 'expects one host name at least'),
    v.maxLength(100, 'expects 100 host names at most'),
    v.title('list of host names'),
    v.description('Names that the certificate is for; no patterns'),
  ),
  contact: v.optional(
    text(
      'Where the authority may write to when something is wrong',
      'an e-mail address',
      /^[^\s@,?]+@[^\s@,?]+$/,
      'admin@registry.example',
    ),
  ),
  'ca-file': v.optional(
    path(
      "File of an authority (PEM) that the directory's own certificate may be from, if the machine does not trust it",
    ),
  ),
  'external-account': v.optional(
    group('The account that a customer of the authority has, where it makes certificates for customers only', {
      'key-id': text("The account's key ID", 'what the authority gave you', /^[!-~]{1,1024}$/, 'kid-1'),
      'hmac-key-file': v.optional(path('File with its HMAC key, in base64url', '/run/secrets/acme-hmac')),
      'hmac-key-env': v.optional(variable('Environment variable with its HMAC key, in base64url')),
    }),
  ),
  'agree-to-terms': v.pipe(
    v.literal(true, expects("true: the authority's terms of service must be agreed to")),
    v.title('true'),
    v.description("Says that you agree to the authority's terms of service"),
  ),
  challenge: v.optional(
    choice(
      'How the authority sees that the names are yours: by a handshake at port 443 of each name, or by a request at port 80',
      ['tls-alpn-01', 'http-01'],
    ),
    'tls-alpn-01',
  ),
  'http-address': v.optional(
    listenAddress('Address at which requests to port 80 arrive; 0.0.0.0:80 by default', '0.0.0.0:8080'),
  ),
})

const tls = group('Serves HTTPS; files are read again every minute, and by SIGHUP', {
  certificate: v.optional(path('File of the certificate chain (PEM)', '/etc/bale/tls.crt')),
  key: v.optional(path('File of its private key (PEM), which others must not be able to read', '/etc/bale/tls.key')),
  acme: v.optional(acme),
  'client-authorities': v.optional(
    path(
      'File of authorities (PEM): clients without a certificate of one of them are refused at the handshake',
      '/etc/bale/clients.crt',
    ),
  ),
})

const listen = group('Where and how the registry is reached', {
  address: v.optional(listenAddress('Address to listen on; port 0 chooses a free port'), '127.0.0.1:5000'),
  tls: v.optional(tls),
  insecure: v.optional(flag('Allows plain HTTP on an address that other machines reach'), false),
  'max-connections': v.optional(
    wholeNumber('Connections at once; one address may have a quarter of them', 4, 1_000_000),
    4096,
  ),
  workers: v.optional(
    wholeNumber('Processes that answer requests, which share the connections; for machines of several cores', 1, 256),
    1,
  ),
  'external-url': v.optional(
    origin('URL that clients use, if it differs from the listening address', 'https://registry.example'),
  ),
  'trusted-proxies': v.optional(
    list('Proxies whose X-Forwarded headers are trusted', 'addresses and ranges', () =>
      addressRange('A proxy or a network of proxies'),
    ),
    [],
  ),
})

const postgres = group('The database, of PostgreSQL', {
  url: postgresUrl('Database and user, without a password; several hosts are separated by commas'),
  'password-file': v.optional(path("File with the user's password", '/run/secrets/postgres')),
  'password-env': v.optional(variable("Environment variable with the user's password")),
  'ca-file': v.optional(path("File of the authority (PEM) that the server's certificate must be from")),
  pool: v.optional(wholeNumber('Connections of one replica to the database', 1, 1000), 10),
})

/** The least is S3's; each upload has three parts in memory. */
const PART = { least: '5MiB', most: '512MiB' }

const s3 = group('A bucket of an S3-compatible store', {
  endpoint: origin('URL of the store', 'https://s3.example'),
  region: v.optional(text('Region of the bucket', 'a name', /^[A-Za-z0-9._-]+$/), 'us-east-1'),
  bucket: text(
    'Name of the bucket, which must exist',
    'the name of a bucket',
    /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/,
  ),
  prefix: v.optional(
    text(
      'What the keys of all objects begin with',
      'the beginning of a key',
      /^(?:[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*\/?)?$/,
      'registry/',
    ),
    '',
  ),
  'path-style': v.optional(
    flag("Whether the bucket is named in the path of the store's URLs, not in their host"),
    true,
  ),
  'access-key-file': v.optional(path('File with the ID of the access key')),
  'access-key-env': v.optional(variable('Environment variable with the ID of the access key')),
  'secret-key-file': v.optional(path('File with the secret of the access key')),
  'secret-key-env': v.optional(variable('Environment variable with the secret of the access key')),
  'part-size': v.optional(
    size('Size of the parts in which a blob is sent; a blob has 10,000 at most', '16MiB', PART),
    '16MiB',
  ),
  encryption: v.optional(
    v.pipe(
      v.union(
        [
          v.literal('AES256'),
          group("With a key of the store's key management", { kms: text('ID of the key', 'the ID of a key', /^\S+$/) }),
        ],
        expects('AES256, or kms with the ID of a key'),
      ),
      v.description('Has the store encrypt the objects'),
    ),
  ),
  redirect: v.optional(
    flag('Sends clients to the store for the bytes of blobs, by addresses that are valid for a short time'),
    false,
  ),
})

/** As repositories are named; host names are such names as well. */
const PREFIX = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/

const PATTERN = /^(?:[a-z0-9._-]|\/|\*)+$/

/** How another registry is reached. */
const otherRegistry = {
  username: v.optional(text('Name of the login there', 'the name of a user', /^[^\s:]+$/)),
  'password-file': v.optional(path('File with its password or token')),
  'password-env': v.optional(variable('Environment variable with its password or token')),
  'token-service': v.optional(
    text(
      'Host that the login may be sent to for tokens, if that is not related to the host of the registry',
      'a host',
      HOST,
      'auth.example',
    ),
  ),
  insecure: v.optional(
    flag('Accepts an unverified certificate, and sends the login over plain HTTP to another machine'),
    false,
  ),
  'ca-file': v.optional(path("File of authorities (PEM) that its certificate may be from, besides the machine's")),
}

const upstream = group('A registry that repositories below a prefix come from', {
  prefix: text(
    'What their names begin with here: docker.io in docker.io/library/debian',
    'the beginning of a name of repositories',
    PREFIX,
    'docker.io',
  ),
  registry: origin('URL of the registry', 'https://registry-1.docker.io'),
  ...otherRegistry,
  namespaces: v.optional(
    list("Names by which clients of containerd's mirrors mean it; its prefix by default", 'hosts', (what) =>
      text(what, 'a host', HOST),
    ),
  ),
  'tags-fresh-for': v.optional(duration('How long a tag is not asked for again', '1h', { least: '0s' }), '1h'),
  'serve-stale-for': v.optional(
    duration('How long after that it is served when the upstream cannot be asked', '168h', { least: '0s' }),
    '168h',
  ),
  'cache-for': v.optional(
    duration('Content that nobody has pulled for so long is removed; without this it is kept', '720h', {
      least: '2h',
    }),
  ),
  allow: v.optional(
    list('Repositories, as it names them, that may come from there; all by default', 'patterns', (what) =>
      text(what, 'a pattern of repositories', PATTERN, 'library/*'),
    ),
  ),
})

const namePrefix = (description: string) =>
  text(description, 'the beginning of a name of repositories', PREFIX, 'mirror')

const replication = group('A rule by which images are replicated to another registry, or from it', {
  name: text(
    'Name of the rule',
    'a name of at most 63 lower-case letters, digits and . _ -',
    /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/,
    'backup-site',
  ),
  direction: choice('push: from here to the other registry; pull: from there to here', ['push', 'pull']),
  registry: origin('URL of the other registry', 'https://registry-2.example'),
  ...otherRegistry,
  repositories: v.pipe(
    list('Repositories, as the source names them', 'patterns', (what) =>
      text(what, 'a pattern of repositories', PATTERN, 'team/**'),
    ),
    v.minLength(1, 'expects one pattern at least'),
    v.maxLength(100, 'expects 100 patterns at most'),
  ),
  tags: v.optional(
    v.pipe(
      list('Tags; a star stands for any characters', 'patterns', (what) =>
        text(what, 'a pattern of tags', /^[A-Za-z0-9_.*-]{1,128}$/, 'v*'),
      ),
      v.minLength(1, 'expects one pattern at least'),
      v.maxLength(100, 'expects 100 patterns at most'),
    ),
    ['*'],
  ),
  'strip-prefix': v.optional(namePrefix('What is taken away in front of the names')),
  'to-prefix': v.optional(namePrefix('What is put in front of the names after that')),
  on: v.optional(choice('Replicates what is pushed here at once', ['push'])),
  every: v.optional(
    duration('Compares everything, and replicates what differs, so often', '6h', { least: '1m', most: '8760h' }),
  ),
  referrers: v.optional(flag('Whether signatures, SBOMs and the like follow their images'), true),
  delete: v.optional(flag('Whether a tag that is deleted at the source is deleted at the destination'), false),
})

const MIB = 1024 ** 2
const SCAN_MEMORY = {
  least: `${LEAST_SCAN_MEMORY / MIB}MiB`,
  most: '64GiB',
  usual: `${SCAN_DEFAULTS.memory / MIB / 1024}GiB`,
}
const SCAN_TIME = { least: '1s', most: '24h', usual: `${SCAN_DEFAULTS.timeout / 60_000}m` }

const scanning = group('Scans images for packages and their vulnerabilities', {
  workers: v.optional(wholeNumber('Scans that a replica runs at the same time', 1, 64), SCAN_DEFAULTS.workers),
  memory: v.optional(size('Memory that a scan may take', SCAN_MEMORY.usual, SCAN_MEMORY), SCAN_MEMORY.usual),
  timeout: v.optional(duration('How long a scan may take', SCAN_TIME.usual, SCAN_TIME), SCAN_TIME.usual),
  advisories: v.optional(
    path(
      'File of a bundle of advisories, which may be replaced at any time; without it, packages are listed but not checked for vulnerabilities',
      '/var/lib/bale/advisories.sqlite',
    ),
  ),
})

const requestLimit = v.pipe(
  group('So many in any period, for each address or identity', {
    who: choice('Whose requests', CALLERS),
    per: choice(
      'What has a count of its own; a network of 64 bits is one IPv6 address, an account one identity',
      COUNTED_PER,
    ),
    what: choice('What is counted: GETs of manifests, PUTs of manifests, or all requests but probes', LIMITED),
    most: wholeNumber('How many of them', 1, 1_000_000_000),
    within: duration('In any period of this length', '6h', { least: '10s', most: '24h' }),
  }),
  v.check(
    ({ who, per }) => who !== 'anonymous' || per !== 'identity',
    'has no identity to count by: anonymous callers are counted per address',
  ),
)

const requestLimits = v.pipe(
  v.array(requestLimit, expects('a list of limits')),
  v.maxLength(16, 'has too many limits; expects 16 at most'),
  v.check(
    (limits) =>
      new Set(limits.map(({ who, per, what, within }) => [who, per, what, within].join())).size === limits.length,
    'has two limits that count the same',
  ),
  v.title('list of limits'),
  v.description('How many requests callers may make; without this as many as they like'),
)

/** The file as valibot checks it, and what its values mean. How keys go together is in rules.ts. */
export const FILE = v.pipe(
  group(
    'Where a registry listens, keeps its content, and how it behaves. Relative paths begin at the directory of the file.',
    {
      listen: v.optional(listen, {}),
      directory: v.optional(
        path(
          'Directory of an embedded registry, which keeps everything there: SQLite, files and its secret',
          '/var/lib/bale-registry',
        ),
      ),
      metadata: v.optional(group('What all replicas of a scaled-out registry know', { postgres })),
      objects: v.optional(
        group('Where all replicas of a scaled-out registry have the bytes', {
          s3: v.optional(s3),
          directory: v.optional(path('A directory that all replicas share', '/shared/objects')),
        }),
      ),
      'secret-file': v.optional(
        path(
          'File with at least 64 hexadecimal digits, the same for all replicas: it seals the keys that sign tokens',
          '/run/secrets/registry',
        ),
      ),
      'secret-env': v.optional(variable('Environment variable with such digits')),
      anonymous: v.optional(
        choice('What callers without a login may do; push, which includes deleting, is for tests', [
          'none',
          'pull',
          'push',
        ]),
        'none',
      ),
      login: v.optional(login, {}),
      uploads: v.optional(
        group('What pushes may do', {
          'min-free': v.optional(
            percentage('Uploads are refused when less of the disk is free; 1% for files, and not for a store', 50),
          ),
          lease: v.optional(
            duration('How long a blob that no manifest refers to is kept after its last push, mount or check', '24h', {
              least: '1m',
            }),
            '24h',
          ),
          'least-rate': v.optional(
            group('The least that a client must send of a body, or its connection is ended', {
              'bytes-per-second': v.optional(
                size('On average over a period; 0 for no limit', '256', { least: '0', most: '1GiB' }),
                256,
              ),
              period: v.optional(
                duration('How long the average is taken over', '30s', { least: '1s', most: '1h' }),
                '30s',
              ),
            }),
            {},
          ),
        }),
        {},
      ),
      collection: v.optional(
        group('How unreferenced content is removed, alongside requests', {
          every: v.optional(
            duration('Time from one collection to the next', '10m', { least: '1s', most: '24h' }),
            '10m',
          ),
          grace: v.optional(
            duration('How long the bytes of a removed blob stay for running downloads', '1h', { least: '0s' }),
            '1h',
          ),
          'uploads-older-than': v.optional(
            duration('Removes unfinished uploads to which nothing was added for this long', '24h', {
              least: '0s',
              most: '24h',
            }),
            '24h',
          ),
          'untagged-older-than': v.optional(
            duration(
              'Also removes manifests without a tag, index or subject that are older; without this they are kept',
              '720h',
              { least: '0s' },
            ),
          ),
          'restorable-for': v.optional(
            duration('How long such a manifest stays after it lost a tag, so that the tag can be restored', '168h', {
              least: '0s',
            }),
            '168h',
          ),
          'audit-for': v.optional(
            duration('How long lines of the audit log are kept', '2160h', { least: '0s' }),
            '2160h',
          ),
          'deliveries-for': v.optional(
            duration('How long deliveries of hooks that ended are kept', '168h', { least: '0s' }),
            '168h',
          ),
        }),
        {},
      ),
      hooks: v.optional(
        group('How hooks are told of changes', {
          'allow-addresses': v.optional(
            v.pipe(
              v.array(addressRange('An address or a network'), expects('a list of addresses and ranges')),
              v.title('list of addresses and ranges'),
              v.description('What hooks may connect to besides public addresses'),
            ),
            [],
          ),
          'retry-for': v.optional(
            duration('How long a delivery that fails is tried again', '24h', { least: '0s', most: '720h' }),
            '24h',
          ),
        }),
        {},
      ),
      upstreams: v.optional(
        list('Registries that repositories below a prefix come from, and are kept', 'upstreams', () => upstream),
        [],
      ),
      mirror: v.optional(
        text(
          'Prefix of the upstream that repositories come from that are not here, for clients that know this registry as their mirror',
          'the prefix of an upstream',
          PREFIX,
          'docker.io',
        ),
      ),
      replication: v.optional(
        v.pipe(
          list('Rules by which images are replicated to other registries, or from them', 'rules', () => replication),
          v.maxLength(100, 'expects 100 rules at most'),
        ),
        [],
      ),
      scanning: v.optional(scanning),
      limits: v.optional(group('What callers are held to', { requests: v.optional(requestLimits, []) }), {}),
      log: v.optional(
        group('What is written down', {
          requests: v.optional(
            path(
              'File to which a line of JSON is added for each request, or stdout for standard output; without this there is none',
              '/var/log/bale-registry/requests.log',
              'stdout',
            ),
          ),
        }),
        {},
      ),
      metrics: v.optional(
        group('Metrics for Prometheus, at /metrics of an address of their own', {
          address: listenAddress('Address to serve them on, to everybody who reaches it', '127.0.0.1:9090'),
        }),
      ),
      tracing: v.optional(
        group('Traces of requests for a collector of OpenTelemetry, by OTLP over HTTP', {
          endpoint: webUrl('URL of the collector, to which /v1/traces is added', 'http://127.0.0.1:4318'),
          sample: v.optional(
            ratio(
              'Which part of the requests is traced; those that belong to a trace already are as their client says',
            ),
            1,
          ),
          'headers-file': v.optional(
            path(
              'File with headers for the collector, such as a login, a line of NAME: VALUE for each; others must not be able to read it',
              '/run/secrets/collector',
            ),
          ),
        }),
      ),
    },
  ),
  v.title('Configuration of a registry'),
)

/** The file's content with defaults in place and values in their units. */
export type FileContent = v.InferOutput<typeof FILE>
