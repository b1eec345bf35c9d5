/** The verbs about the registry's configuration file, as the shell sees them: output, complaints and exit codes. */
import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { testBale } from '../kit/bale.ts'

const root = resolve(import.meta.dirname, '../..')

test('a good file is summed up without what its secrets are, and the files that it names must be there', async () => {
  await using bale = await testBale()
  const path = (name: string) => join(bale.directory, name)
  writeFileSync(
    path('r.yaml'),
    `listen: { address: '0.0.0.0:5000', insecure: true, external-url: 'https://registry.example' }
metadata: { postgres: { url: postgres://bale@db.internal/bale, password-file: password } }
objects: { s3: { endpoint: https://s3.internal, bucket: blobs, prefix: prod, access-key-env: S3_ID, secret-key-env: S3_SECRET, encryption: { kms: one } } }
secret-file: secret
collection: { untagged-older-than: 720h }
log: { requests: stdout }
metrics: { address: '[::1]:9090' }
login:
  ldap: { url: ldaps://ldap.internal, bind-dn: cn=bale, password-env: S3_ID, users: { base: dc=x, id: entryUUID }, groups: { base: dc=y, rules: [] } }
  workloads: [{ issuer: https://ci, audience: me, when: { sub: 'a:*', ref: b }, as: acme+ci }]
`,
  )
  const check = ['registry', 'config', 'check', path('r.yaml')]
  assert.deepEqual(await bale.try(check, { env: { S3_ID: 'id' } }), {
    code: 1,
    stdout: '',
    stderr: [
      `${path('r.yaml')}:2:79: metadata.postgres.password-file: cannot read ${path('password')}: no such file or directory`,
      `${path('r.yaml')}:3:117: objects.s3.secret-key-env: the environment variable S3_SECRET is not set`,
      `${path('r.yaml')}:4:14: secret-file: cannot read ${path('secret')}: no such file or directory`,
      '',
    ].join('\n'),
  })
  const summary = await bale.run([...check, '--no-files'])
  writeFileSync(path('password'), 'hunter2\n', { mode: 0o600 })
  writeFileSync(path('secret'), `${'0f'.repeat(32)}\n`, { mode: 0o600 })
  const checked = await bale.run(check, { env: { S3_ID: 'id', S3_SECRET: 'hunter3' } })
  assert.equal(checked, summary)
  assert.doesNotMatch(checked, /hunter|0f0f/)
  assert.deepEqual(checked.split('\n'), [
    'Listens on: http://0.0.0.0:5000',
    ' External URL: https://registry.example',
    ' Connections: 4096',
    'Metadata: postgres://bale@db.internal/bale',
    ` Password: ${path('password')}`,
    ' Connections: 10',
    'Objects: bucket blobs at https://s3.internal',
    ' Prefix: prod',
    ' Region: us-east-1',
    ' Access Key: environment variable S3_ID, environment variable S3_SECRET',
    ' Bucket Named in: path',
    ' Parts: 16MiB',
    ' Encryption: key one',
    ' Blobs Come from: the registry',
    `Secret: ${path('secret')}`,
    'Without a Login: none',
    'Logins Kept by Clients: for 720h without use',
    'Logins in Browsers: for 12h without use, 168h at most',
    'User Directory: ldaps://ldap.internal',
    ' Searched by: cn=bale, environment variable S3_ID',
    ' Users: (uid={name}) below dc=x, told apart by entryUUID',
    ' Groups: (member={dn}) below dc=y, rules: 0',
    ' Answers: within 5s, remembered for 1m',
    'Workloads: acme+ci for 1h, with a token of https://ci for me and sub=a:*, ref=b',
    'Unreferenced Blobs Kept: 24h',
    'Least Rate of Bodies: 256 bytes per second, over 30s',
    'Collection: every 10m',
    ' Grace: 1h',
    ' Unfinished Uploads: after 24h',
    ' Untagged Manifests: after 720h',
    ' Restorable Tags: for 168h',
    ' Audit Log: for 2160h',
    ' Deliveries of Hooks: for 168h',
    'Hooks: tried for 24h',
    'Request Log: stdout',
    'Metrics: http://[::1]:9090/metrics',
  ])
  chmodSync(path('password'), 0o644)
  const open = await bale.try(check, { env: { S3_ID: 'id', S3_SECRET: 'x' } })
  assert.equal(open.code, 1)
  assert.match(open.stderr, /^\S+:2:79: metadata.postgres.password-file: everybody on this machine can use \S+; /)
})

test('what comes from elsewhere, goes there, and who is let in is summed up as well', async () => {
  await using bale = await testBale()
  const file = join(bale.directory, 'r.yaml')
  writeFileSync(
    file,
    `directory: /d
mirror: docker.io
login:
  bootstrap-token-env: FIRST
  sessions: { unused-for: 1h, lifetime: 8h }
  oidc:
    { issuer: https://id.example, client-id: bale, client-secret-file: oidc, scopes: [profile], name-claim: nick, groups-claim: groups, groups: { rules: [{ group: a, organisation: acme }] } }
upstreams:
  - { prefix: docker.io, registry: 'https://hub.example', username: ann, password-file: hub, allow: [library/*], cache-for: 720h }
replication:
  - { name: site, direction: push, registry: 'https://site.example', username: bob, password-env: SITE, repositories: [team/**], tags: [v*], on: push, every: 6h, delete: true }
  - { name: tools, direction: pull, registry: 'https://other.example', repositories: [a/b, c/d], referrers: false }
`,
  )
  const lines = (await bale.run(['registry', 'config', 'check', '--no-files', file])).split('\n')
  const between = (first: string, last: string) =>
    lines.slice(
      lines.indexOf(first),
      lines.findIndex((line) => line.startsWith(last)),
    )
  const path = (name: string) => join(bale.directory, name)
  assert.deepEqual(between('First Administrator: with the token in environment variable FIRST', 'Unreferenced'), [
    'First Administrator: with the token in environment variable FIRST',
    'Logins Kept by Clients: for 720h without use',
    'Logins in Browsers: for 1h without use, 8h at most',
    'Provider: https://id.example, where the registry is bale',
    ` Secret: ${path('oidc')}`,
    ' Names: nick, of the scopes openid profile',
    ' Groups: groups, rules: 1',
  ])
  assert.deepEqual(lines.slice(lines.indexOf('Hooks: tried for 24h') + 1), [
    'Upstream: https://hub.example, below docker.io',
    ` Login: ann, ${path('hub')}`,
    ' Repositories: library/*',
    ' Kept: tags for 1h, content for 720h without a pull',
    'Mirror of: docker.io',
    'Replication: site, to https://site.example',
    ' Login: bob, environment variable SITE',
    ' Images: team/**, tags: v*',
    ' When: at each push, every 6h',
    ' Along With It: what refers to it, deletions of tags',
    'Replication: tools, from https://other.example',
    ' Login: none',
    ' Images: a/b, c/d, tags: *',
    ' When: when somebody says so',
    ' Along With It: nothing',
  ])
})

test('all mistakes of a file are listed with their places and exit code 1; a missing file is named', async () => {
  await using bale = await testBale()
  const path = join(bale.directory, 'r.json')
  writeFileSync(path, '{\n  "directory": "/d",\n  "listen": { "adress": "x" },\n  "anonymous": "all"\n}\n')
  assert.deepEqual(await bale.try(['registry', 'config', 'check', path]), {
    code: 1,
    stdout: '',
    stderr: `${path}:3:15: listen.adress: unknown key; did you mean address?\n${path}:4:16: anonymous: expects one of none, pull, push, not "all"\n`,
  })
  const missing = await bale.try(['registry', 'config', 'check', `${path}.gone`])
  assert.deepEqual([missing.code, missing.stderr], [1, `bale: open ${path}.gone: no such file or directory\n`])
})

test('the schema that is printed is the one beside the documentation; the examples there pass the check', async () => {
  await using bale = await testBale()
  const schema = await bale.try(['registry', 'config', 'schema'])
  assert.deepEqual(schema, {
    code: 0,
    stdout: readFileSync(join(root, 'docs/registry-configuration.schema.json'), 'utf8'),
    stderr: '',
  })
  const check = ['registry', 'config', 'check', '--no-files']
  const embedded = await bale.run([...check, join(root, 'deploy/registry.yaml')])
  assert.match(embedded, /^Directory: \/var\/lib\/bale-registry\n Kept Free: 5%$/m)
  await bale.run([...check, join(root, 'deploy/registry-scaled-out.yaml')])
})
