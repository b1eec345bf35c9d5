import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { isBaleError } from '#base'
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/kit/temporary.ts'
import { GRACE } from '../collect.ts'
import { LEAST_RATE } from '../http/index.ts'
import { MIN_FREE_PERCENT } from '../objects/room.ts'
import { type Configuration, type ConfigurationSchema, configurationSchema, readConfiguration } from './index.ts'
import { keyBelow } from './problems.ts'

let place: TemporaryDirectory
before(async () => {
  place = await temporaryDirectory('bale-configuration')
})
after(() => place[Symbol.asyncDispose]())

async function read(content: string | Uint8Array): Promise<Configuration> {
  const path = join(place.path, 'r.yaml')
  writeFileSync(path, content)
  return await readConfiguration(path)
}

/** What is wrong with a file, a line for each, without its path. */
async function problems(content: string | Uint8Array): Promise<string[]> {
  try {
    await read(content)
  } catch (error) {
    assert.ok(isBaleError(error, 'INVALID_ARGUMENT'), String(error))
    return error.message.split('\n').map((line) => line.replace(`${place.path}/r.yaml:`, ''))
  }
  return []
}

const deploy = (name: string) => resolve(import.meta.dirname, '../../../deploy', name)

/** Every key that a scaled-out registry can have, none with its default. */
const FULL = `
listen:
  address: '[::]:443'
  tls: { certificate: tls/a.crt, key: /etc/bale/tls.key, client-authorities: ca.crt }
  insecure: true
  max-connections: 100
  workers: 4
  external-url: https://registry.example/
  trusted-proxies: [10.0.0.0/8, '2001:db8::1']
metadata:
  postgres:
    url: postgres://bale@a.internal:5433,b.internal/registry?sslmode=require
    password-env: PGPASSWORD
    ca-file: db.pem
    pool: 20
objects:
  s3:
    endpoint: https://s3.internal:9000
    region: eu
    bucket: bale-registry
    prefix: prod/
    path-style: false
    access-key-file: /run/secrets/id
    secret-key-env: S3_SECRET
    part-size: 64m
    encryption: { kms: 'arn:key/1' }
    redirect: true
secret-file: secret
anonymous: pull
uploads:
  lease: 1h30m
  least-rate: { bytes-per-second: 1KiB, period: 10s }
collection:
  every: 90s
  grace: 2h
  uploads-older-than: 12h
  untagged-older-than: 720h
  restorable-for: 48h
  audit-for: 24h
  deliveries-for: 36h
upstreams:
  - prefix: docker.io
    registry: https://registry-1.docker.io
    username: ann
    password-file: hub
    token-service: auth.docker.io
    namespaces: [docker.io, index.docker.io]
    tags-fresh-for: 10m
    serve-stale-for: 24h
    cache-for: 720h
    allow: ['library/*']
    insecure: true
    ca-file: hub.pem
  - { prefix: quay, registry: 'https://quay.io' }
mirror: docker.io
hooks: { allow-addresses: [10.0.0.0/8, '::1'], retry-for: 12h }
login:
  refresh-tokens: { unused-for: 24h }
  sessions: { unused-for: 1h, lifetime: 24h }
  bootstrap-token-env: FIRST
  oidc:
    issuer: https://login.example/realms/one
    client-id: bale
    client-secret-file: client-secret
    scopes: [openid, groups]
    name-claim: nick
    groups-claim: groups
    groups: { rules: [{ group: web, team: acme/web }] }
    title: Example
    valid-for: 48h
    ca-file: oidc.pem
  ldap:
    url: ldap://ldap.internal
    starttls: true
    insecure: true
    ca-file: ldap.pem
    bind-dn: cn=bale,dc=example
    password-file: ldap-password
    users: { base: 'ou=people,dc=example', filter: '(&(a=b)(uid={name}))', id: entryUUID }
    groups:
      base: ou=groups,dc=example
      filter: (memberUid={name})
      rules:
        - { group: admins, administrators: true }
        - { group: 'cn=web,dc=example', team: acme/web }
        - { group: owners, organisation: acme, role: owner }
        - { group: members, organisation: acme }
    timeout: 2s
    remember-for: 30s
  workloads:
    - issuer: https://ci.example
      audience: registry.example
      when: { repository: 'acme/*' }
      as: acme+ci
      lifetime: 30m
      ca-file: ci.pem
    - { issuer: 'https://other.example', audience: x, when: { sub: y }, as: acme+other }
limits:
  requests:
    - { who: anonymous, per: address, what: pulls, most: 100, within: 6h }
    - { who: robots, per: identity, what: requests, most: 600, within: 1m }
log: { requests: requests.log }
metrics: { address: '127.0.0.2:9090' }
tracing: { endpoint: https://collector.internal/otlp, sample: 0.25, headers-file: headers }
replication:
  - name: site
    direction: push
    registry: https://registry-2.example
    username: replicator
    password-file: site
    token-service: login.example
    insecure: true
    ca-file: site.pem
    repositories: [team/**]
    tags: ['v*']
    strip-prefix: team
    to-prefix: mirror
    on: push
    every: 6h
    referrers: false
    delete: true
  - { name: tools, direction: pull, registry: 'https://quay.io', repositories: [tools/one] }
scanning: { workers: 3, memory: 2GiB, timeout: 5m, advisories: advisories.sqlite }
`

test('every key of a file has its place in the configuration, with a value that is not its default', async () => {
  const configuration = await read(FULL)
  const file = join(place.path, 'r.yaml')
  assert.deepEqual(JSON.parse(JSON.stringify(configuration)), {
    listen: {
      host: '::',
      port: 443,
      tls: {
        certificate: { path: join(place.path, 'tls/a.crt'), at: `${file}:4:23: listen.tls.certificate` },
        key: { path: '/etc/bale/tls.key', at: `${file}:4:39: listen.tls.key` },
        clientAuthorities: { path: join(place.path, 'ca.crt'), at: `${file}:4:78: listen.tls.client-authorities` },
      },
      insecure: true,
      maxConnections: 100,
      workers: 4,
      externalUrl: 'https://registry.example',
      trustedProxies: ['10.0.0.0/8', '2001:db8::1'],
    },
    content: {
      kind: 'scaled-out',
      postgres: {
        url: 'postgres://bale@a.internal:5433,b.internal/registry?sslmode=require',
        password: { variable: 'PGPASSWORD', at: `${file}:13:19: metadata.postgres.password-env` },
        ca: { path: join(place.path, 'db.pem'), at: `${file}:14:14: metadata.postgres.ca-file` },
        connections: 20,
      },
      objects: {
        kind: 's3',
        endpoint: 'https://s3.internal:9000',
        region: 'eu',
        bucket: 'bale-registry',
        prefix: 'prod/',
        pathStyle: false,
        accessKey: { path: '/run/secrets/id', at: `${file}:23:22: objects.s3.access-key-file` },
        secretKey: { variable: 'S3_SECRET', at: `${file}:24:21: objects.s3.secret-key-env` },
        partSize: 64 << 20,
        encryption: { kms: 'arn:key/1' },
        redirect: true,
      },
      secret: { path: join(place.path, 'secret'), at: `${file}:28:14: secret-file` },
    },
    anonymous: 'pull',
    uploads: { lease: 5_400_000, leastRate: { bytesPerSecond: 1024, period: 10_000 } },
    collection: {
      every: 90_000,
      grace: 7_200_000,
      uploadsOlderThan: 43_200_000,
      untaggedOlderThan: 30 * 24 * 3_600_000,
      restorableFor: 48 * 3_600_000,
      auditFor: 24 * 3_600_000,
      deliveriesFor: 36 * 3_600_000,
    },
    upstreams: [
      {
        prefix: 'docker.io',
        url: 'https://registry-1.docker.io',
        login: {
          username: 'ann',
          password: { path: join(place.path, 'hub'), at: `${file}:45:20: upstreams[0].password-file` },
        },
        tokenService: 'auth.docker.io',
        namespaces: ['docker.io', 'index.docker.io'],
        tagsFreshFor: 600_000,
        serveStaleFor: 24 * 3_600_000,
        cacheFor: 720 * 3_600_000,
        allow: ['library/*'],
        insecure: true,
        ca: { path: join(place.path, 'hub.pem'), at: `${file}:53:14: upstreams[0].ca-file` },
      },
      {
        prefix: 'quay',
        url: 'https://quay.io',
        tagsFreshFor: 3_600_000,
        serveStaleFor: 7 * 24 * 3_600_000,
        insecure: false,
      },
    ],
    mirror: 'docker.io',
    hooks: { allowAddresses: ['10.0.0.0/8', '::1'], retryFor: 12 * 3_600_000 },
    replication: [
      {
        name: 'site',
        direction: 'push',
        url: 'https://registry-2.example',
        login: {
          username: 'replicator',
          password: { path: join(place.path, 'site'), at: `${file}:110:20: replication[0].password-file` },
        },
        tokenService: 'login.example',
        insecure: true,
        ca: { path: join(place.path, 'site.pem'), at: `${file}:113:14: replication[0].ca-file` },
        repositories: ['team/**'],
        tags: ['v*'],
        stripPrefix: 'team',
        toPrefix: 'mirror',
        onPush: true,
        every: 6 * 3_600_000,
        referrers: false,
        deletes: true,
      },
      {
        name: 'tools',
        direction: 'pull',
        url: 'https://quay.io',
        insecure: false,
        repositories: ['tools/one'],
        tags: ['*'],
        onPush: false,
        referrers: true,
        deletes: false,
      },
    ],
    scanning: {
      workers: 3,
      memory: 2 * 1024 ** 3,
      timeout: 300_000,
      advisories: join(place.path, 'advisories.sqlite'),
    },
    login: {
      refreshTokensUnusedFor: 24 * 3_600_000,
      sessions: { unusedFor: 3_600_000, lifetime: 24 * 3_600_000 },
      bootstrapToken: { variable: 'FIRST', at: `${file}:60:24: login.bootstrap-token-env` },
      oidc: {
        issuer: 'https://login.example/realms/one',
        clientId: 'bale',
        clientSecret: { path: join(place.path, 'client-secret'), at: `${file}:64:25: login.oidc.client-secret-file` },
        scopes: ['openid', 'groups'],
        nameClaim: 'nick',
        groupsClaim: 'groups',
        rules: [{ group: 'web', member: { name: 'acme/web', role: 'member' } }],
        title: 'Example',
        validFor: 48 * 3_600_000,
        ca: { path: join(place.path, 'oidc.pem'), at: `${file}:71:14: login.oidc.ca-file` },
      },
      ldap: {
        url: 'ldap://ldap.internal',
        startTls: true,
        ca: { path: join(place.path, 'ldap.pem'), at: `${file}:76:14: login.ldap.ca-file` },
        bind: {
          dn: 'cn=bale,dc=example',
          password: { path: join(place.path, 'ldap-password'), at: `${file}:78:20: login.ldap.password-file` },
        },
        users: { base: 'ou=people,dc=example', filter: '(&(a=b)(uid={name}))', id: 'entryUUID' },
        groups: {
          base: 'ou=groups,dc=example',
          filter: '(memberUid={name})',
          rules: [
            { group: 'admins', administrators: true },
            { group: 'cn=web,dc=example', member: { name: 'acme/web', role: 'member' } },
            { group: 'owners', member: { name: 'acme', role: 'owner' } },
            { group: 'members', member: { name: 'acme', role: 'member' } },
          ],
        },
        timeout: 2000,
        rememberFor: 30_000,
      },
      workloads: [
        {
          issuer: 'https://ci.example',
          audience: 'registry.example',
          when: { repository: 'acme/*' },
          as: 'acme+ci',
          lifetime: 1_800_000,
          ca: { path: join(place.path, 'ci.pem'), at: `${file}:96:16: login.workloads[0].ca-file` },
        },
        {
          ...{ issuer: 'https://other.example', audience: 'x', when: { sub: 'y' }, as: 'acme+other' },
          lifetime: 3_600_000,
        },
      ],
    },
    limits: {
      requests: [
        { who: 'anonymous', per: 'address', what: 'pulls', most: 100, within: 21_600_000 },
        { who: 'robots', per: 'identity', what: 'requests', most: 600, within: 60_000 },
      ],
    },
    log: { requests: { path: join(place.path, 'requests.log') } },
    metrics: { host: '127.0.0.2', port: 9090 },
    tracing: {
      endpoint: 'https://collector.internal/otlp',
      sample: 0.25,
      headersFile: { path: join(place.path, 'headers'), at: `${file}:104:83: tracing.headers-file` },
    },
  })
})

test('a certificate may be from an authority, which sees the names by either challenge', async () => {
  const tls = async (more: string) => {
    const acme = `{ directory: https://acme.example/dir, names: [Registry.example, b.example], agree-to-terms: true${more} }`
    return (await read(`directory: d\nlisten: { address: 0.0.0.0:443, tls: { acme: ${acme} } }\n`)).listen.tls
  }
  const common = { directory: 'https://acme.example/dir', names: ['registry.example', 'b.example'] }
  const none = { contact: undefined, ca: undefined, challengeAddress: undefined }
  assert.deepEqual(await tls(''), { acme: { ...common, ...none } })
  assert.deepEqual(await tls(', challenge: http-01'), {
    acme: { ...common, ...none, challengeAddress: { host: '0.0.0.0', port: 80 } },
  })
  assert.deepEqual(
    await tls(', contact: ann@b.example, ca-file: ca, challenge: http-01, http-address: 127.0.0.1:8080'),
    {
      acme: {
        ...common,
        contact: 'ann@b.example',
        ca: { path: join(place.path, 'ca'), at: `${join(place.path, 'r.yaml')}:2:178: listen.tls.acme.ca-file` },
        challengeAddress: { host: '127.0.0.1', port: 8080 },
      },
    },
  )
})

test('the full file has all keys of the schema, but those that exclude the others', async () => {
  const others = ['directory', 'objects.directory', 'secret-env', 'uploads.min-free', 'listen.tls.acme']
  const either = /-(?:file|env)$/
  const absent = keysOf(await configurationSchema(), '').filter(
    (key) =>
      !others.includes(key) &&
      !key.startsWith('listen.tls.acme.') &&
      !either.test(key) &&
      !new RegExp(`\\b${key.split('.').at(-1)}:`).test(FULL),
  )
  assert.deepEqual(absent, [])
})

function keysOf({ properties = {}, items }: ConfigurationSchema, at: string): string[] {
  if (items) return keysOf(items, at)
  return Object.entries(properties).flatMap(([name, below]) => [
    keyBelow(at, name),
    ...keysOf(below, keyBelow(at, name)),
    ...keysOf(below.items ?? {}, keyBelow(at, name)),
  ])
}

test('a directory is enough; the rest is as without a file', async () => {
  const { listen, content, ...rest } = await read('directory: data')
  assert.deepEqual(content, { kind: 'embedded', directory: join(place.path, 'data'), minFreePercent: MIN_FREE_PERCENT })
  assert.deepEqual(
    { ...listen },
    {
      host: '127.0.0.1',
      port: 5000,
      tls: undefined,
      insecure: false,
      maxConnections: 4096,
      workers: 1,
      externalUrl: undefined,
      trustedProxies: [],
    },
  )
  assert.deepEqual(rest, {
    anonymous: 'none',
    login: {
      refreshTokensUnusedFor: 30 * 24 * 3_600_000,
      sessions: { unusedFor: 12 * 3_600_000, lifetime: 7 * 24 * 3_600_000 },
      bootstrapToken: undefined,
      oidc: undefined,
      ldap: undefined,
      workloads: [],
    },
    uploads: { lease: 24 * 3_600_000, leastRate: LEAST_RATE },
    collection: {
      every: 600_000,
      grace: GRACE,
      uploadsOlderThan: 24 * 3_600_000,
      untaggedOlderThan: undefined,
      restorableFor: 7 * 24 * 3_600_000,
      auditFor: 90 * 24 * 3_600_000,
      deliveriesFor: 7 * 24 * 3_600_000,
    },
    upstreams: [],
    mirror: undefined,
    hooks: { allowAddresses: [], retryFor: 24 * 3_600_000 },
    replication: [],
    scanning: undefined,
    limits: { requests: [] },
    log: { requests: undefined },
    metrics: undefined,
    tracing: undefined,
  })
  assert.deepEqual((await read('directory: data\nlog: { requests: stdout }')).log, { requests: 'stdout' })
  assert.deepEqual((await read('directory: data\nscanning: {}')).scanning, {
    ...{ workers: 1, memory: 1024 ** 3, timeout: 600_000, advisories: undefined },
  })
})

test('replicas may share a directory for the bytes, of which some is kept free', async () => {
  const { content } = await read(`
metadata: { postgres: { url: 'postgresql://bale@db/bale' } }
objects: { directory: /shared }
secret-env: SECRET
uploads: { min-free: 7% }`)
  assert.ok(content.kind === 'scaled-out' && content.postgres.password === undefined)
  assert.deepEqual(content.objects, { kind: 'directory', directory: '/shared', minFreePercent: 7 })
})

test('a configuration is frozen in all its parts', async () => {
  const configuration = await read(FULL)
  const parts = (value: object): object[] => [
    value,
    ...Object.values(value).flatMap((one) => (typeof one === 'object' ? parts(one) : [])),
  ]
  assert.ok(parts(configuration).length > 15)
  assert.deepEqual(
    parts(configuration).filter((part) => !Object.isFrozen(part)),
    [],
  )
})

test('JSON is YAML, also with tabs; anchors and merges of whole values may be used', async () => {
  assert.equal((await read('{\n\t"directory": "/data",\n\t"anonymous": "push"\n}\n')).anonymous, 'push')
  const { uploads } = await read('directory: /data\nuploads: { lease: &hour 1h }\ncollection: { grace: *hour }\n')
  assert.equal(uploads.lease, 3_600_000)
  assert.equal((await read('\ufeffdirectory: /data\r\nanonymous: pull\r\n')).anonymous, 'pull')
})

test('the files in deploy are configurations', async () => {
  assert.equal((await readConfiguration(deploy('registry.yaml'))).content.kind, 'embedded')
  assert.equal((await readConfiguration(deploy('registry-scaled-out.yaml'))).content.kind, 'scaled-out')
})

const s3 = (more: string) => `metadata: { postgres: { url: 'postgres://b@h/b' } }
secret-env: S
objects:
  s3: { endpoint: 'https://s3', bucket: abc, access-key-env: A, secret-key-env: B${more} }`
const postgres = (keys: string) => `objects: { directory: /o }\nsecret-env: S\nmetadata: { postgres: { ${keys} } }`

const ldap = (keys: string) => `directory: /d\nlogin: { ldap: { ${keys}, users: { base: dc=x } } }`

const BAD: Readonly<Record<string, readonly [text: string, ...lines: (string | RegExp)[]]>> = {
  'an empty file': ['# nothing\n', '1:1: has no value; expects a group of keys'],
  'a text alone': ['hello', '1:1: expects a group of keys, not "hello"'],
  'what hooks may be at is no address': [
    'directory: /d\nhooks: { allow-addresses: [intern.example], retry-for: 60d }\n',
    /^2:28: hooks.allow-addresses\[0\]: expects an address or a range of addresses, such as/,
    /^2:56: hooks.retry-for: expects a duration from 0s to 720h/,
  ],
  'a list alone': ['- directory: /d', '1:1: expects a group of keys, not a list'],
  'unknown keys, also those that objects inherit': [
    'directory: /d\nlisten:\n  adress: 1\n  port: 2\nconstructor: 3\n__proto__: { a: 1 }\n',
    '3:3: listen.adress: unknown key; did you mean address?',
    '4:3: listen.port: unknown key; expects address, tls, insecure, max-connections, workers, external-url, trusted-proxies',
    /^5:1: constructor: unknown key; expects listen, directory, /,
    /^6:1: __proto__: unknown key; expects listen, /,
  ],
  'a key given twice': ['directory: /a\nlisten: {}\ndirectory: /b\n', '3:1: the key directory is given twice'],
  'a tab that indents': ['listen:\n\tinsecure: true\n', '2:1: Tabs are not allowed as indentation'],
  'an alias of nothing': ['directory: *gone\n', '1:12: directory: no anchor &gone before this alias'],
  'an alias within its anchor': [
    'directory: /d\nlisten: &a { tls: *a }\n',
    '2:19: listen.tls: the alias *a is part of what it stands for',
  ],
  'a second document': ['directory: /a\n---\ndirectory: /b\n', '2:1: a second document begins; expects one'],
  'a tag that is not known': ['directory: !secret x\n', '1:12: Unresolved tag: !secret'],
  'a value that is no text and no number': [
    'directory: !!binary aGVs\n',
    '1:21: directory: expects a text, a number, true or false',
  ],
  'a key that is no text': ['[a]: b\n', '1:1: expects a text as key'],
  'a quote that is left open': ['directory: "/d\n', /^2:1: Missing closing "quote$/],
  'values that are absent': [
    'directory:\nlisten: \n',
    '1:11: directory: has no value; expects a path, such as /var/lib/bale-registry',
    '2:9: listen: has no value; expects a group of keys',
  ],
  'values of another kind': [
    'directory: [1]\nlisten: []\nanonymous: yes\nuploads: { least-rate: 256, lease: 86400 }\ncollection: off\n',
    '1:12: directory: expects a path, such as /var/lib/bale-registry, not a list',
    '2:9: listen: expects a group of keys, not a list',
    '3:12: anonymous: expects one of none, pull, push, not "yes"',
    '4:24: uploads.least-rate: expects a group of keys, not the number 256',
    '4:36: uploads.lease: expects a duration of at least 1m, such as 24h, not the number 86400',
    '5:13: collection: expects a group of keys, not "off"',
  ],
  'a list in the place of required keys': [
    'directory: /d\nlisten: { tls: [] }\n',
    '2:16: listen.tls: expects a group of keys, not a list',
  ],
  'an address without a port': [
    'directory: /d\nlisten: { address: localhost }\n',
    '2:20: listen.address: expects an address and port, such as 0.0.0.0:443 or [::1]:5000, not "localhost"',
  ],
  'a port that is none': [`directory: /d\nlisten: { address: '127.0.0.1:65536' }\n`, /^2:20: listen.address: expects /],
  'plain HTTP for other machines': [
    'directory: /d\nlisten: { address: 0.0.0.0:5000, insecure: false }\n',
    '2:11: listen.address: passwords would go over the network in plain text at 0.0.0.0:5000; expects listen.tls, or listen.insecure if something else protects them',
  ],
  'a certificate without its key': [
    'directory: /d\nlisten:\n  tls:\n    certificate: a\n',
    '3:3: listen.tls.key: is missing, but certificate needs it: they belong together',
  ],
  'an authority beside files, and what it cannot be asked for': [
    'directory: /d\nlisten:\n  tls:\n    certificate: a\n    key: b\n    acme:\n      directory: http://acme.example\n      names: ["*.example", 10.0.0.1]\n      agree-to-terms: false\n      contact: nobody\n      http-address: 0.0.0.0:80\n',
    '5:5: listen.tls.key: cannot be given together with acme: the registry makes a key for each certificate that it obtains',
    '6:5: listen.tls.acme: cannot be given together with certificate; expects one of them',
    '7:18: listen.tls.acme.directory: expects a URL that begins with https, without a login, such as https://acme-v02.api.letsencrypt.org/directory',
    '8:15: listen.tls.acme.names[0]: expects a host name, such as registry.example, not "*.example"',
    '8:28: listen.tls.acme.names[1]: expects a host name, such as registry.example, not "10.0.0.1"',
    "9:23: listen.tls.acme.agree-to-terms: expects true: the authority's terms of service must be agreed to, not the boolean false",
    '10:16: listen.tls.acme.contact: expects an e-mail address, such as admin@registry.example, not "nobody"',
    '11:7: listen.tls.acme.http-address: is of use only with the challenge http-01',
  ],
  'neither a certificate nor an authority': [
    'directory: /d\nlisten: { tls: {} }\n',
    '2:11: listen.tls.certificate: is missing, and so is acme: a certificate is in a file, or an authority gives it',
  ],
  'traces for nowhere, and more than all': [
    'directory: /d\ntracing: { endpoint: "http://ann:secret@collector", sample: 2 }\n',
    '2:22: tracing.endpoint: expects a URL that begins with http or https, without a login and a query, such as http://127.0.0.1:4318',
    '2:61: tracing.sample: expects a number from 0 to 1, not the number 2',
  ],
  'limits that are not whole, too small, too large': [
    'directory: /d\nlisten: { max-connections: 4.5 }\ncollection: { every: 25h }\nuploads: { lease: 1s, min-free: 51%, least-rate: { bytes-per-second: 2GiB, period: 5 } }',
    '2:28: listen.max-connections: expects a whole number from 4 to 1000000, not the number 4.5',
    '3:22: collection.every: expects a duration from 1s to 24h, such as 10m, not "25h"',
    '4:19: uploads.lease: expects a duration of at least 1m, such as 24h, not "1s"',
    '4:33: uploads.min-free: expects a percentage from 0% to 50%, such as 1%, not "51%"',
    '4:70: uploads.least-rate.bytes-per-second: expects a size from 0 to 1GiB, such as 256, not "2GiB"',
    '4:84: uploads.least-rate.period: expects a duration from 1s to 1h, such as 30s, not the number 5',
  ],
  'limits of requests that are none': [
    `directory: /d
limits:
  requests:
    - { who: guests, per: address, what: pulls, most: 0, within: 5s, for: 1 }
    - { who: users, what: pulls, most: 1, within: 1m }
    - { who: anonymous, per: identity, what: pulls, most: 1, within: 1m }
`,
    '4:14: limits.requests[0].who: expects one of anonymous, users, robots, everybody, not "guests"',
    '4:55: limits.requests[0].most: expects a whole number from 1 to 1000000000, not the number 0',
    '4:66: limits.requests[0].within: expects a duration from 10s to 24h, such as 6h, not "5s"',
    '4:70: limits.requests[0].for: unknown key; did you mean per?',
    '5:7: limits.requests[1].per: is missing: What has a count of its own; a network of 64 bits is one IPv6 address, an account one identity',
    '6:7: limits.requests[2]: has no identity to count by: anonymous callers are counted per address',
  ],
  'one limit given twice': [
    `directory: /d
limits:
  requests:
    - { who: users, per: identity, what: pulls, most: 1, within: 60s }
    - { who: users, per: identity, what: pulls, most: 2, within: 1m }
`,
    '4:5: limits.requests: has two limits that count the same',
  ],
  'limits of requests that are not a list': [
    'directory: /d\nlimits: { requests: 100 }\n',
    '2:21: limits.requests: expects a list of limits, not the number 100',
  ],
  'ranges that are none': [
    `directory: /d\nlisten:\n  trusted-proxies: [10.0.0.0/33, 10.0.0.0/, proxy.example, '::1/128']\n`,
    /^3:21: listen.trusted-proxies\[0\]: expects an address or a range of addresses, such as 10.0.0.0\/8 or 2001:db8::1, not "10.0.0.0\/33"$/,
    /^3:34: listen.trusted-proxies\[1\]: /,
    /^3:45: listen.trusted-proxies\[2\]: /,
  ],
  'upstreams that are none, or go not together': [
    `directory: /d
mirror: quay.io
upstreams:
  - { prefix: Hub, registry: 'https://u:p@hub', pasword-file: a }
  - { prefix: ghcr.io, registry: 'https://ghcr.io', username: ann, allow: ['A'] }
  - { registry: 'https://x', password-file: a, password-env: B, cache-for: 1h }
  - { prefix: ghcr.io, registry: 'https://ghcr.io' }
  - ghcr.io
`,
    '2:1: mirror: no upstream has the prefix quay.io; expects the prefix of one',
    '4:15: upstreams[0].prefix: expects the beginning of a name of repositories, such as docker.io, not "Hub"',
    '4:30: upstreams[0].registry: expects a URL of scheme and host only, such as https://registry-1.docker.io',
    '4:49: upstreams[0].pasword-file: unknown key; did you mean password-file?',
    '5:5: upstreams[1].password-file: is missing, and so is password-env: a login has a password',
    '5:76: upstreams[1].allow[0]: expects a pattern of repositories, such as library/*, not "A"',
    '6:5: upstreams[2].prefix: is missing: What their names begin with here: docker.io in docker.io/library/debian',
    '6:5: upstreams[2].username: is missing, but password-file needs it: a login has a name',
    '6:48: upstreams[2].password-env: cannot be given together with password-file; expects one of them',
    '6:76: upstreams[2].cache-for: expects a duration of at least 2h, such as 720h, not "1h"',
    '7:7: upstreams[3].prefix: another upstream has ghcr.io as well',
    '8:5: upstreams[4]: expects a group of keys, not "ghcr.io"',
  ],
  'rules of replication that are none, or go in circles': [
    `directory: /d
listen: { address: '127.0.0.1:5000', external-url: 'https://here.example' }
replication:
  - { name: A, direction: both, registry: 'https://u:p@there', repositories: [] }
  - { name: b, direction: pull, registry: 'https://there', repositories: [A], on: push, every: 1s, tags: ['a/b'] }
  - { name: b, direction: push, registry: 'https://there', repositories: [a], username: ann, to-prefix: '/x' }
  - { name: c, direction: push, registry: 'http://localhost:5000', repositories: [a], delete: yes please }
`,
    '4:13: replication[0].name: expects a name of at most 63 lower-case letters, digits and . _ -, such as backup-site, not "A"',
    '4:27: replication[0].direction: expects one of push, pull, not "both"',
    '4:43: replication[0].registry: expects a URL of scheme and host only, such as https://registry-2.example',
    '4:78: replication[0].repositories: expects one pattern at least',
    '5:75: replication[1].repositories[0]: expects a pattern of repositories, such as team/**, not "A"',
    '5:79: replication[1].on: is of use only for direction push: what is pushed there is not told here',
    '5:96: replication[1].every: expects a duration from 1m to 8760h, such as 6h, not "1s"',
    '5:107: replication[1].tags[0]: expects a pattern of tags, such as v*, not "a/b"',
    '6:5: replication[2].password-file: is missing, and so is password-env: a login has a password',
    '6:7: replication[2].name: another rule is called b as well',
    '6:105: replication[2].to-prefix: expects the beginning of a name of repositories, such as mirror, not "/x"',
    '7:33: replication[3].registry: is this registry itself; expects another one',
    '7:95: replication[3].delete: expects true or false, not "yes please"',
  ],
  'scans that may take next to nothing': [
    `directory: /d
scanning: { workers: 0, memory: 1MiB, timeout: 0s, advisories: '' }
`,
    '2:22: scanning.workers: expects a whole number from 1 to 64, not the number 0',
    '2:33: scanning.memory: expects a size from 256MiB to 64GiB, such as 1GiB, not "1MiB"',
    '2:48: scanning.timeout: expects a duration from 1s to 24h, such as 10m, not "0s"',
    '2:64: scanning.advisories: expects a path, such as /var/lib/bale/advisories.sqlite, not ""',
  ],
  'a rule of replication to the URL of the registry itself': [
    `directory: /d
listen: { external-url: 'https://here.example' }
replication: [{ name: a, direction: push, registry: 'https://here.example/', repositories: [a] }]
`,
    '3:43: replication[0].registry: is this registry itself; expects another one',
  ],
  'a rule of replication that pulls to where an upstream is': [
    `directory: /d
upstreams: [{ prefix: docker.io, registry: 'https://registry-1.docker.io' }]
replication: [{ name: a, direction: pull, registry: 'https://there', repositories: [a], to-prefix: docker.io/a }]
`,
    '3:89: replication[0].to-prefix: is below the prefix docker.io of an upstream, which alone fills it',
  ],
  'a name for two upstreams': [
    `directory: /d
upstreams:
  - { prefix: a, registry: 'https://a' }
  - { prefix: b, registry: 'https://b', namespaces: [a] }
`,
    '4:41: upstreams[1].namespaces: another upstream has a as well',
  ],
  'neither a directory nor metadata': [
    'listen: {}\n',
    '1:1: directory: is missing, and so is metadata: a registry is embedded in a directory, or scaled out on a database and an object store',
  ],
  'a directory and more': [
    'directory: /d\nsecret-file: s\nobjects: { directory: /o }\nmetadata: { postgres: { url: postgres://b@h/b } }\nsecret-env: S\n',
    '2:1: secret-file: cannot be given together with directory: an embedded registry has everything in its directory',
    '3:1: objects: cannot be given together with directory: an embedded registry has everything in its directory',
    '4:1: metadata: cannot be given together with directory; expects one of them',
    '5:1: secret-env: cannot be given together with directory: an embedded registry has everything in its directory',
  ],
  'metadata without objects': [
    'secret-env: S\nmetadata: { postgres: { url: postgres://b@h/b } }\n',
    '1:1: objects: is missing, but metadata needs it: all replicas have the bytes in one place',
  ],
  'metadata without a secret': [
    'objects: { directory: /o }\nmetadata: { postgres: { url: postgres://b@h/b } }\n',
    '1:1: secret-file: is missing, and so is secret-env: all replicas have the same secret',
  ],
  'metadata and objects of no kind': [
    'metadata: {}\nobjects: {}\nsecret-env: S\n',
    '1:1: metadata.postgres: is missing: The database, of PostgreSQL',
    '2:1: objects.s3: is missing, and so is directory: the bytes are in a store, or in a directory that all replicas share',
  ],
  'two secrets and two objects': [
    'metadata: { postgres: { url: postgres://b@h/b } }\nobjects: { directory: /o, s3: {} }\nsecret-env: S\nsecret-file: s\n',
    '2:12: objects.directory: cannot be given together with s3; expects one of them',
    '2:27: objects.s3.endpoint: is missing: URL of the store',
    '2:27: objects.s3.bucket: is missing: Name of the bucket, which must exist',
    '2:27: objects.s3.access-key-file: is missing, and so is access-key-env: requests are signed',
    '2:27: objects.s3.secret-key-file: is missing, and so is secret-key-env: requests are signed',
    '3:1: secret-env: cannot be given together with secret-file; expects one of them',
  ],
  'a password in the URL': [
    postgres('url: postgres://bale:hunter2@h/b'),
    '3:30: metadata.postgres.url: holds a password; expects it in the file of password-file, or the variable of password-env',
  ],
  'a password behind the URL': [
    postgres(`url: 'postgres://bale@h/b?sslmode=require&password=hunter2'`),
    /: holds a password; /,
  ],
  'a password with a slash': [
    postgres('url: postgres://bale:hun/ter2@h/b'),
    '3:30: metadata.postgres.url: expects the URL of a database with user, host and name',
  ],
  'a URL without a user': [postgres('url: postgres://h/b'), /metadata.postgres.url: expects the URL of a database/],
  'a password inline': [
    postgres('url: postgres://b@h/b, password: hunter2'),
    '3:48: metadata.postgres.password: unknown key; expects url, password-file, password-env, ca-file, pool',
  ],
  'two passwords': [
    postgres('url: postgres://b@h/b, password-file: p, password-env: P'),
    '3:66: metadata.postgres.password-env: cannot be given together with password-file; expects one of them',
  ],
  'a variable that has no name': [
    postgres('url: postgres://b@h/b, password-env: $P'),
    '3:62: metadata.postgres.password-env: expects the name of an environment variable, not "$P"',
  ],
  'a directory over plain LDAP': [
    ldap('url: ldap://ldap.example'),
    '2:18: login.ldap.url: passwords would go over the network in plain text to ldap.example; expects ldaps://, starttls, or insecure if something else protects them',
  ],
  'StartTLS of what begins with TLS': [
    ldap('url: ldaps://ldap.example, starttls: true'),
    '2:45: login.ldap.starttls: cannot be given together with ldaps://, which begins with TLS',
  ],
  'a login of the registry without its password': [
    ldap('url: ldaps://l, bind-dn: cn=bale'),
    '2:10: login.ldap.password-file: is missing, and so is password-env: the registry logs in as bind-dn',
  ],
  'a password of nobody': [
    ldap('url: ldaps://l, password-env: P'),
    '2:10: login.ldap.bind-dn: is missing, but password-env needs it: it is the password of that',
  ],
  'filters, names and groups that are none': [
    `directory: /d
login:
  ldap:
    url: https://l
    users: { base: people, filter: '(uid=ann)', id: '' }
    groups:
      base: dc=x
      filter: '((member={dn})'
      rules:
        - { group: a, organisation: acme, team: acme/web }
        - { group: b, team: acme }
        - { grop: c }
        - { group: d, team: acme/web, role: owner }
`,
    /^4:10: login.ldap.url: expects the URL of a directory/,
    /^5:20: login.ldap.users.base: expects a distinguished name \(DN\)/,
    /^5:36: login.ldap.users.filter: expects a filter of LDAP with \{name\}/,
    /^5:53: login.ldap.users.id: expects the name of an attribute/,
    '8:15: login.ldap.groups.filter: has parentheses that do not belong together',
    '10:11: login.ldap.groups.rules[0]: expects one of organisation, team, and administrators: true',
    /^11:29: login.ldap.groups.rules\[1\].team: expects a team, such as acme\/web, not "acme"/,
    '12:11: login.ldap.groups.rules[2].group: is missing: The group, by its DN or its name (cn)',
    '12:13: login.ldap.groups.rules[2].grop: unknown key; did you mean group?',
    '13:11: login.ldap.groups.rules[3]: expects organisation, if there is a role',
  ],
  'a provider that cannot be trusted, and claims of nothing': [
    `directory: /d
login:
  bootstrap-token-file: t
  bootstrap-token-env: T
  oidc:
    issuer: http://login.example
    client-secret-file: s
    client-secret-env: S
    scopes: ['a b']
    name-claim: ''
    groups-claim: groups
    valid-for: 1m
`,
    '4:3: login.bootstrap-token-env: cannot be given together with bootstrap-token-file; expects one of them',
    '5:3: login.oidc.client-id: is missing: What the registry is called there',
    '5:3: login.oidc.groups: is missing, but groups-claim needs it: without rules, nothing is done with it',
    '6:13: login.oidc.issuer: expects https://: whoever is on the way to it could make keys of their own',
    '8:5: login.oidc.client-secret-env: cannot be given together with client-secret-file; expects one of them',
    /^9:14: login.oidc.scopes\[0\]: expects a scope, such as groups, not "a b"/,
    /^10:17: login.oidc.name-claim: expects the name of a claim/,
    /^12:16: login.oidc.valid-for: expects a duration of at least 1h/,
  ],
  'rules for anybody, and for nobody': [
    `directory: /d
login:
  workloads:
    - { issuer: 'https://ci', audience: a, when: {}, as: acme+ci }
    - { issuer: ci, audience: a, when: { sub: 1 }, as: ann, lifetime: 25h }
    - { audience: a, when: [sub], as: acme+ci }
    - { issuer: 'http://ci.example', audience: a, when: { sub: x }, as: acme+ci }
    - { issuer: 'http://127.0.0.1:80/x', audience: a, when: { sub: x }, as: acme+ci }
`,
    '4:50: login.workloads[0].when: expects at least one claim: everybody gets tokens from an issuer such as a forge',
    /^5:17: login.workloads\[1\].issuer: expects the URL of an issuer/,
    /^5:47: login.workloads\[1\].when.sub: expects a pattern/,
    /^5:56: login.workloads\[1\].as: expects a robot, such as acme\+ci, not "ann"/,
    /^5:71: login.workloads\[1\].lifetime: expects a duration from 1m to 12h/,
    '6:7: login.workloads[2].issuer: is missing: Who issues the tokens, as they say it (iss)',
    '6:28: login.workloads[2].when: expects a group of keys, not a list',
    '7:17: login.workloads[3].issuer: expects https://: whoever is on the way to it could make keys of their own',
  ],
  'space of a store': [
    `${s3('')}\nuploads: { min-free: 1% }\n`,
    '5:12: uploads.min-free: cannot be given together with objects.s3: a store has no disk to be kept free',
  ],
  'parts, keys and addresses of a store': [
    s3(', part-size: 1MiB, access-key-file: a, encryption: aes, prefix: /x, region: ""').replace(
      'https://s3',
      'https://id:hunter2@s3',
    ),
    '4:19: objects.s3.endpoint: expects a URL of scheme and host only, such as https://s3.example',
    '4:57: objects.s3.access-key-env: cannot be given together with access-key-file; expects one of them',
    '4:106: objects.s3.part-size: expects a size from 5MiB to 512MiB, such as 16MiB, not "1MiB"',
    '4:144: objects.s3.encryption: expects AES256, or kms with the ID of a key, not "aes"',
    '4:157: objects.s3.prefix: expects the beginning of a key, such as registry/, not "/x"',
    '4:169: objects.s3.region: expects a name, not ""',
  ],
}

for (const [name, [text, ...expected]] of Object.entries(BAD)) {
  test(`refused with its places: ${name}`, async () => {
    const found = await problems(text)
    assert.equal(found.length, expected.length, found.join('\n'))
    for (const [index, line] of expected.entries()) {
      if (typeof line === 'string') assert.equal(found[index], line)
      else assert.match(found[index]!, line)
    }
    assert.doesNotMatch(found.join(), /hunter2|ter2/)
  })
}

test('what would take long or much to read is refused', async () => {
  const bomb = Array.from(
    { length: 9 },
    (_, at) =>
      `${'abcdefghi'[at]}: &${'abcdefghi'[at]} [${Array(9).fill(at === 0 ? 'x' : `*${'abcdefghi'[at - 1]}`)}]\n`,
  )
  assert.match((await problems(bomb.join('')))[0]!, /too many values$/)
  assert.match((await problems(`a: ${'['.repeat(10_000)}`))[0]!, /nested too deeply$/)
  const lines = await problems(Array.from({ length: 200 }, (_, at) => `k${at}: 1\n`).join(''))
  assert.equal(lines.at(-1), 'and 101 more')
  await assert.rejects(read('#'.repeat(300_000)), { code: 'LIMIT_EXCEEDED' })
})

test("a file that is not UTF-8 is refused; for a missing one the system's own error is given", async () => {
  assert.deepEqual(await problems(Buffer.from([0x61, 0x3a, 0x20, 0xff])), ['1:1: the file is not UTF-8'])
  await assert.rejects(readConfiguration(join(place.path, 'none.yaml')), { code: 'ENOENT' })
})
