import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isBaleError } from '#base'
import { selfSigned } from '../../../test/kit/self-signed.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/kit/temporary.ts'
import { type Credentials, loadCredentials, readConfiguration } from './index.ts'

const [own, other] = [selfSigned('registry.example'), selfSigned('other.example')]
const digits = createHash('sha256').update('secret').digest('hex')

let place: TemporaryDirectory
before(async () => {
  place = await temporaryDirectory('bale-credentials')
  const files = {
    'a.crt': own.cert,
    'a.key': own.key,
    'b.key': other.key,
    password: ' two words\r\n',
    id: 'ID\n',
    digits: `${digits}\n`,
  }
  for (const [name, text] of Object.entries(files)) file(name, text)
})
after(() => place[Symbol.asyncDispose]())

function file(name: string, text: string, mode = 0o600): void {
  writeFileSync(join(place.path, name), text)
  chmodSync(join(place.path, name), mode)
}

const scaledOut = ({
  certificate = 'a.crt',
  key = 'a.key',
  password = 'password-file: password',
  ca = 'a.crt',
  id = 'id',
  secret = 'secret-file: digits',
} = {}) => `
listen: { tls: { certificate: ${certificate}, key: ${key} } }
metadata: { postgres: { url: postgres://bale@db/bale, ${password}, ca-file: ${ca} } }
objects: { s3: { endpoint: https://s3, bucket: abc, access-key-file: ${id}, secret-key-env: S3_SECRET } }
${secret}
`

async function load(text: string, environment: Record<string, string> = { S3_SECRET: 'shh' }): Promise<Credentials> {
  writeFileSync(join(place.path, 'r.yaml'), text)
  return await loadCredentials(await readConfiguration(join(place.path, 'r.yaml')), environment)
}

/** What is wrong, without the directory that all is in. */
async function problems(text: string, environment?: Record<string, string>): Promise<string[]> {
  try {
    await load(text, environment)
  } catch (error) {
    assert.ok(isBaleError(error, 'INVALID_ARGUMENT'), String(error))
    return error.message.replaceAll(`${place.path}/`, '').split('\n')
  }
  return []
}

test('certificate, key, passwords and secret come from files beside the configuration and from variables', async () => {
  assert.deepEqual(await load(scaledOut()), {
    tls: { cert: own.cert, key: own.key },
    postgres: { password: ' two words', ca: own.cert },
    s3: { accessKey: 'ID', secretKey: 'shh' },
    secret: Buffer.from(digits, 'hex'),
  })
  const variables = { S3_SECRET: 'shh', PGPASSWORD: 'pw', SECRET: digits }
  const { postgres, secret } = await load(
    scaledOut({ password: 'password-env: PGPASSWORD', secret: 'secret-env: SECRET' }),
    variables,
  )
  assert.deepEqual([postgres?.password, secret], ['pw', Buffer.from(digits, 'hex')])
})

test('logins and authorities of upstreams are in their order, and each that cannot be used is named', async () => {
  const upstreams = (password: string, ca: string) => `directory: /d
upstreams:
  - { prefix: a, registry: 'https://a' }
  - { prefix: b, registry: 'https://b', username: ann, ${password}, ca-file: ${ca} }
`
  const { upstreams: loaded } = await load(upstreams('password-file: id', 'a.crt'))
  assert.deepEqual(loaded![0], { password: undefined, ca: undefined })
  assert.deepEqual([loaded![1]!.password, loaded![1]!.ca?.trim()], ['ID', own.cert.trim()])
  assert.deepEqual(await problems(upstreams('password-env: GONE', 'a.key')), [
    'r.yaml:4:70: upstreams[1].password-env: the environment variable GONE is not set',
    'r.yaml:4:85: upstreams[1].ca-file: a.key has no certificate (PEM)',
  ])
})

test('a directory has a password and authorities, and rules for workloads have theirs', async () => {
  const text = `directory: /d
login:
  ldap: { url: ldaps://l, bind-dn: cn=b, password-file: password, ca-file: a.crt, users: { base: dc=x } }
  workloads: [{ issuer: 'https://ci', audience: me, when: { sub: x }, as: acme+ci, ca-file: a.crt }]
`
  const { login } = await load(text)
  assert.deepEqual(login?.ldap, { password: ' two words', ca: own.cert.trim() })
  assert.deepEqual(Object.values(login!.authorities), [own.cert.trim()])
  assert.deepEqual(await problems(text.replaceAll('a.crt', 'id').replace('file: password', 'env: NOT_SET')), [
    'r.yaml:3:56: login.ldap.password-env: the environment variable NOT_SET is not set',
    'r.yaml:3:74: login.ldap.ca-file: id has no certificate (PEM)',
    'r.yaml:4:93: login.workloads[0].ca-file: id has no certificate (PEM)',
  ])
})

test('an embedded registry on plain HTTP needs none', async () => {
  assert.deepEqual(await load('directory: /d'), {})
})

test('a group may read a secret, everybody may not; a certificate is for all', async () => {
  file('group', 'ID', 0o440)
  file('all', 'ID', 0o604)
  file('all.crt', own.cert, 0o644)
  file('all.key', own.key, 0o644)
  assert.equal((await load(scaledOut({ id: 'group', certificate: 'all.crt', ca: 'all.crt' }))).s3?.accessKey, 'ID')
  assert.deepEqual(await problems(scaledOut({ id: 'all', key: 'all.key' })), [
    'r.yaml:2:43: listen.tls.key: everybody on this machine can use all.key; expects a mode such as 0600 or 0440',
    'r.yaml:4:70: objects.s3.access-key-file: everybody on this machine can use all; expects a mode such as 0600 or 0440',
  ])
})

test('everything that is missing, empty or of the wrong kind is listed at once', async () => {
  mkdirSync(join(place.path, 'directory'))
  file('empty', '\n')
  file('lines', 'first\nsecond')
  file('short', digits.slice(1))
  file('large', 'x'.repeat(1 << 21))
  const everything = scaledOut({
    certificate: 'gone',
    key: 'empty',
    password: 'password-file: lines',
    ca: 'digits',
    id: 'directory',
    secret: 'secret-file: short',
  })
  assert.deepEqual(await problems(everything, {}), [
    'r.yaml:2:31: listen.tls.certificate: cannot read gone: no such file or directory',
    'r.yaml:2:42: listen.tls.key: empty does not hold a private key (PEM) without a passphrase',
    'r.yaml:3:70: metadata.postgres.password-file: lines has more than one line, or control characters',
    'r.yaml:3:86: metadata.postgres.ca-file: digits does not begin with a certificate (PEM)',
    'r.yaml:4:70: objects.s3.access-key-file: directory is not a file',
    'r.yaml:4:97: objects.s3.secret-key-env: the environment variable S3_SECRET is not set',
    'r.yaml:5:14: secret-file: short does not hold a secret: at least 64 hexadecimal digits, in lower case',
  ])
  assert.deepEqual(await problems(scaledOut({ id: 'large', password: 'password-file: empty' }), { S3_SECRET: '' }), [
    'r.yaml:3:70: metadata.postgres.password-file: empty is empty',
    'r.yaml:4:70: objects.s3.access-key-file: large is larger than 1048576 bytes',
    'r.yaml:4:93: objects.s3.secret-key-env: S3_SECRET is empty',
  ])
})

test('a key that does not belong to the certificate is refused', async () => {
  assert.deepEqual(await problems(scaledOut({ key: 'b.key' })), [
    'r.yaml:2:43: listen.tls.key: the key in b.key is not that of the certificate in a.crt',
  ])
})

test('authorities of clients are all certificates of a file, each of them one that may issue others', async () => {
  const tls = (file: string) =>
    `directory: /d\nlisten: { tls: { certificate: a.crt, key: a.key, client-authorities: ${file} } }\n`
  file('two.crt', `# ours\n${own.cert}\n${other.cert}`)
  const { tls: loaded } = await load(tls('two.crt'))
  assert.equal(loaded?.clientAuthorities, `${own.cert.trim()}\n${other.cert.trim()}`)
  file('leaf.crt', `${own.cert}${selfSigned('client.example', { authority: false }).cert}`)
  file('broken.crt', own.cert.replace(/[A-Za-z0-9]{40}/, ''))
  const problem = (text: string) => `r.yaml:2:70: listen.tls.client-authorities: ${text}`
  assert.deepEqual(await problems(tls('leaf.crt')), [problem('certificate 2 in leaf.crt is not that of an authority')])
  assert.deepEqual(await problems(tls('broken.crt')), [
    problem('certificate 1 in broken.crt is not that of an authority'),
  ])
  assert.deepEqual(await problems(tls('a.key')), [problem('a.key has no certificate (PEM)')])
})

test('headers for a collector are a line for each; a file that others can read or that has other lines is refused', async () => {
  const traced = 'directory: d\ntracing: { endpoint: http://c, headers-file: headers }\n'
  file('headers', 'Authorization: Bearer a b\r\n\nX-Tenant:  one \n')
  const { tracing } = await load(traced)
  assert.deepEqual({ ...tracing?.headers }, { authorization: 'Bearer a b', 'x-tenant': 'one' })
  file('headers', 'Authorization: a\nno header\n')
  assert.match(
    (await problems(traced)).join(),
    /tracing\.headers-file: line 2 of headers is not a header: NAME: VALUE$/,
  )
  file('headers', 'a: b\n', 0o644)
  assert.match((await problems(traced)).join(), /everybody on this machine can use headers/)
})

test('the directory of an ACME authority is read; what is not one is named', async () => {
  const acme = (ca: string) =>
    `directory: d\nlisten: { tls: { acme: { directory: https://a/d, names: [a.example], agree-to-terms: true, ca-file: ${ca} } } }\n`
  assert.equal((await load(acme('a.crt'))).acme?.ca, own.cert)
  assert.match(
    (await problems(acme('a.key'))).join(),
    /listen\.tls\.acme\.ca-file: a\.key does not begin with a certificate/,
  )
})
