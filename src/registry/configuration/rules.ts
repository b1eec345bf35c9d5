import { isLoopback } from '../addresses/index.ts'
import { parseListenAddress } from './listen-address.ts'

/** Keys as they are in the file; which of them are known, and their values, is not checked yet. */
export type Group = Readonly<Record<string, unknown>>

/** How keys of a group go together, said twice: for the check, and in JSON Schema for editors. */
interface Rule {
  /** `metadata.postgres`, or `upstreams[]` for each of a list; empty for the whole file. */
  group: string
  /** What is wrong, and with which key of the group. */
  broken(group: Group): { key: string; message: string } | undefined
  schema: object
}

export const isGroup = (value: unknown): value is Group =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const given = (group: Group, ...keys: string[]) => keys.filter((key) => key in group)
const required = (...keys: string[]) => ({ required: keys })

function atMostOneOf(group: string, one: string, other: string): Rule {
  return {
    group,
    broken: (keys) =>
      given(keys, one, other).length === 2
        ? { key: other, message: `cannot be given together with ${one}; expects one of them` }
        : undefined,
    schema: { not: required(one, other) },
  }
}

/** With `when`, one is needed only if that is given. */
function oneOf(group: string, one: string, other: string, because: string, { when }: { when?: string } = {}): Rule[] {
  const needed: Rule = {
    group,
    broken: (keys) =>
      given(keys, one, other).length === 0 && (when === undefined || when in keys)
        ? { key: one, message: `is missing, and so is ${other}: ${because}` }
        : undefined,
    schema: { anyOf: [required(one), required(other), ...(when === undefined ? [] : [{ not: required(when) }])] },
  }
  return [needed, atMostOneOf(group, one, other)]
}

function needs(group: string, one: string, other: string, because: string): Rule {
  return {
    group,
    broken: (keys) =>
      one in keys && !(other in keys)
        ? { key: other, message: `is missing, but ${one} needs it: ${because}` }
        : undefined,
    schema: { anyOf: [{ not: required(one) }, required(other)] },
  }
}

function excludes(group: string, one: string, other: string, because: string): Rule {
  return {
    group,
    broken: (keys) =>
      given(keys, one, other).length === 2
        ? { key: other, message: `cannot be given together with ${one}: ${because}` }
        : undefined,
    schema: { not: required(one, other) },
  }
}

const plainHttp: Rule = {
  group: 'listen',
  broken({ address, tls, insecure }) {
    if (tls !== undefined || insecure === true || !isReachedByOthers(address)) return
    return {
      key: 'address',
      message: `passwords would go over the network in plain text at ${address}; expects listen.tls, or listen.insecure if something else protects them`,
    }
  },
  schema: {
    anyOf: [
      required('tls'),
      { properties: { insecure: { const: true } }, ...required('insecure') },
      { properties: { address: { pattern: '^(?:127\\.|localhost:|\\[::1\\]:)' } } },
    ],
  },
}

/** False of what is no address, which is a fault of its own. */
function isReachedByOthers(address: unknown): boolean {
  try {
    return !isLoopback(parseListenAddress(String(address)).host)
  } catch {
    return false
  }
}

const freeSpace: Rule = {
  group: '',
  broken({ objects, uploads }) {
    if (!isGroup(objects) || !isGroup(uploads) || !('s3' in objects) || !('min-free' in uploads)) return
    return {
      key: 'uploads.min-free',
      message: 'cannot be given together with objects.s3: a store has no disk to be kept free',
    }
  },
  schema: {
    not: {
      properties: { objects: required('s3'), uploads: required('min-free') },
      ...required('objects', 'uploads'),
    },
  },
}

const plainLdap: Rule = {
  group: 'login.ldap',
  broken({ url, starttls, insecure }) {
    const host = URL.parse(String(url))?.hostname.replace(/^\[(.*)\]$/, '$1') ?? ''
    if (!/^ldap:/.test(String(url)) || starttls === true || insecure === true || isLoopback(host)) return
    return {
      key: 'url',
      message: `passwords would go over the network in plain text to ${host}; expects ldaps://, starttls, or insecure if something else protects them`,
    }
  },
  schema: {
    anyOf: [
      { properties: { url: { pattern: '^(?:ldaps://|ldap://(?:127\\.|localhost(?:[:/]|$)|\\[::1\\]))' } } },
      { properties: { starttls: { const: true } }, ...required('starttls') },
      { properties: { insecure: { const: true } }, ...required('insecure') },
    ],
  },
}

const startTlsTwice: Rule = {
  group: 'login.ldap',
  broken({ url, starttls }) {
    if (starttls !== true || !/^ldaps:/.test(String(url))) return
    return { key: 'starttls', message: 'cannot be given together with ldaps://, which begins with TLS' }
  },
  schema: {
    not: {
      properties: { starttls: { const: true }, url: { pattern: '^ldaps:' } },
      ...required('starttls', 'url'),
    },
  },
}

const itsOwn = 'an embedded registry has everything in its directory'

const UNIQUE = ['prefix', 'namespaces'] as const

/** No JSON Schema says that two items of a list differ in one key. */
const upstreamNames: Rule = {
  group: '',
  broken({ upstreams }) {
    if (!Array.isArray(upstreams)) return undefined
    for (const key of UNIQUE) {
      const names = upstreams.flatMap((one, at) =>
        isGroup(one) ? namesOf(one, key).map((name) => ({ name, at })) : [],
      )
      const again = names.find(({ name }, at) => names.findIndex((other) => other.name === name) < at)
      if (again) return { key: `upstreams[${again.at}].${key}`, message: `another upstream has ${again.name} as well` }
    }
    return undefined
  },
  schema: {},
}

/** Of what is no list or text, nothing: that is a fault of its own. */
function namesOf(upstream: Group, key: (typeof UNIQUE)[number]): string[] {
  const value = upstream[key] ?? upstream['prefix']
  return [value].flat().filter((name) => typeof name === 'string')
}

const mirrored: Rule = {
  group: '',
  broken({ mirror, upstreams }) {
    if (typeof mirror !== 'string') return undefined
    const prefixes = Array.isArray(upstreams) ? upstreams.map((one) => isGroup(one) && one['prefix']) : []
    return prefixes.includes(mirror)
      ? undefined
      : { key: 'mirror', message: `no upstream has the prefix ${mirror}; expects the prefix of one` }
  },
  schema: { anyOf: [{ not: required('mirror') }, required('upstreams')] },
}

/** How a login at another registry is given. */
function loginAt(group: string): Rule[] {
  const because = 'a login has a password'
  return [
    atMostOneOf(group, 'password-file', 'password-env'),
    needs(group, 'password-file', 'username', 'a login has a name'),
    needs(group, 'password-env', 'username', 'a login has a name'),
    ...oneOf(group, 'password-file', 'password-env', because, { when: 'username' }).slice(0, 1),
  ]
}

const pulledOnPush: Rule = {
  group: 'replication[]',
  broken: ({ direction, on }) =>
    direction === 'pull' && on !== undefined
      ? { key: 'on', message: 'is of use only for direction push: what is pushed there is not told here' }
      : undefined,
  schema: { not: { properties: { direction: { const: 'pull' } }, ...required('direction', 'on') } },
}

const replicationNames: Rule = {
  group: '',
  broken({ replication }) {
    if (!Array.isArray(replication)) return undefined
    const names = replication.map((one) => (isGroup(one) ? one['name'] : undefined))
    const again = names.findIndex((name, at) => name !== undefined && names.indexOf(name) < at)
    if (again < 0) return undefined
    return { key: `replication[${again}].name`, message: `another rule is called ${names[again]} as well` }
  },
  schema: {},
}

/** What is below the prefix of an upstream comes from that alone. */
const pulledIntoCache: Rule = {
  group: '',
  broken({ replication, upstreams }) {
    if (!Array.isArray(replication) || !Array.isArray(upstreams)) return undefined
    const prefixes = upstreams.map((one) => `${isGroup(one) ? one['prefix'] : ''}/`)
    const isBelow = (name: unknown) => prefixes.find((prefix) => `${name}/`.startsWith(prefix))
    const at = replication.findIndex((one) => isGroup(one) && one['direction'] === 'pull' && isBelow(one['to-prefix']))
    return at < 0
      ? undefined
      : {
          key: `replication[${at}].to-prefix`,
          message: `is below the prefix ${isBelow(replication[at]['to-prefix'])!.slice(0, -1)} of an upstream, which alone fills it`,
        }
  },
  schema: {},
}

/** Where it can be seen: at its own address, or under the URL that clients use. */
const replicatedToItself: Rule = {
  group: '',
  broken({ replication, listen }) {
    if (!Array.isArray(replication)) return undefined
    const own = isGroup(listen) ? listen : {}
    const at = replication.findIndex((one) => isGroup(one) && isOwnUrl(one['registry'], own))
    return at < 0
      ? undefined
      : { key: `replication[${at}].registry`, message: 'is this registry itself; expects another one' }
  },
  schema: {},
}

function isOwnUrl(registry: unknown, { address = '127.0.0.1:5000', 'external-url': external, tls }: Group): boolean {
  const url = URL.parse(String(registry))
  if (!url) return false
  if (external !== undefined && URL.parse(String(external))?.origin === url.origin) return true
  if ((tls === undefined) !== (url.protocol === 'http:')) return false
  try {
    const { host, port } = parseListenAddress(String(address))
    const [hostname, at] = [url.hostname.replace(/^\[(.*)\]$/, '$1'), url.port || (url.protocol === 'http:' ? 80 : 443)]
    const isAny = host === '0.0.0.0' || host === '::' || isLoopback(host)
    return Number(at) === port && (hostname === host || (isAny && isLoopback(hostname)))
  } catch {
    return false
  }
}

const challengeAddress: Rule = {
  group: 'listen.tls.acme',
  broken: (keys) =>
    'http-address' in keys && keys['challenge'] !== 'http-01'
      ? { key: 'http-address', message: 'is of use only with the challenge http-01' }
      : undefined,
  schema: {
    anyOf: [
      { not: required('http-address') },
      { properties: { challenge: { const: 'http-01' } }, ...required('challenge') },
    ],
  },
}

/** All rules. When one mistake breaks two of them at the same key, the first is reported. */
export const RULES: readonly Rule[] = [
  plainHttp,
  ...oneOf(
    'listen.tls.acme.external-account',
    'hmac-key-file',
    'hmac-key-env',
    'the authority gives it with the key ID',
  ),
  ...oneOf('listen.tls', 'certificate', 'acme', 'a certificate is in a file, or an authority gives it'),
  excludes('listen.tls', 'acme', 'key', 'the registry makes a key for each certificate that it obtains'),
  needs('listen.tls', 'certificate', 'key', 'they belong together'),
  challengeAddress,
  ...oneOf(
    '',
    'directory',
    'metadata',
    'a registry is embedded in a directory, or scaled out on a database and an object store',
  ),
  excludes('', 'directory', 'objects', itsOwn),
  excludes('', 'directory', 'secret-file', itsOwn),
  excludes('', 'directory', 'secret-env', itsOwn),
  needs('', 'metadata', 'objects', 'all replicas have the bytes in one place'),
  ...oneOf('', 'secret-file', 'secret-env', 'all replicas have the same secret', { when: 'metadata' }),
  freeSpace,
  ...oneOf('objects', 's3', 'directory', 'the bytes are in a store, or in a directory that all replicas share'),
  plainLdap,
  startTlsTwice,
  ...oneOf('login.ldap', 'password-file', 'password-env', 'the registry logs in as bind-dn', { when: 'bind-dn' }),
  needs('login.ldap', 'password-file', 'bind-dn', 'it is the password of that'),
  needs('login.ldap', 'password-env', 'bind-dn', 'it is the password of that'),
  atMostOneOf('login', 'bootstrap-token-file', 'bootstrap-token-env'),
  atMostOneOf('login.oidc', 'client-secret-file', 'client-secret-env'),
  needs('login.oidc', 'groups', 'groups-claim', 'the rules are about what that says'),
  needs('login.oidc', 'groups-claim', 'groups', 'without rules, nothing is done with it'),
  atMostOneOf('metadata.postgres', 'password-file', 'password-env'),
  ...oneOf('objects.s3', 'access-key-file', 'access-key-env', 'requests are signed'),
  ...loginAt('upstreams[]'),
  ...loginAt('replication[]'),
  pulledOnPush,
  replicationNames,
  replicatedToItself,
  pulledIntoCache,
  upstreamNames,
  mirrored,
  ...oneOf('objects.s3', 'secret-key-file', 'secret-key-env', 'requests are signed'),
]
