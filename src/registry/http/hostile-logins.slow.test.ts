/** A05, A15, A20: logins and tokens as somebody sends them who looks for a way in. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { sha256, startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'

async function withEveryKind(): Promise<TestRegistry> {
  const registry = await startRegistry({ anonymous: 'none' })
  const { users, organisations, robots } = registry.registry
  await users.add('ann', 'password-of-ann')
  await organisations.add('acme', { owner: 'ann' })
  await organisations.addTeam('acme/web')
  await robots.add('acme+ci')
  return registry
}

/** Organisations, teams and robots have no password; names may be anything. */
const NAMES = [
  'ann',
  'nobody',
  'acme',
  'acme/web',
  'acme+ci',
  '',
  '__proto__',
  'constructor',
  'a'.repeat(500),
  'a\0b',
  '$',
  '%',
  '€',
]

test('A15: whatever kind of account a name is, or none at all, a wrong password gets the same answer', async () => {
  await using registry = await withEveryKind()
  const answers = new Set<string>()
  for (const name of NAMES) {
    for (const password of ['wrong', '', 'x'.repeat(400), '\0', '$argon2id$v=19$m=1,t=1,p=1$AA$AA']) {
      const { status, body } = await registry.request('GET', '/v2/', { login: `${name}:${password}` })
      answers.add(`${status} ${body}`)
    }
    const form = new URLSearchParams({ grant_type: 'password', username: name, password: 'wrong' }).toString()
    assert.equal((await registry.request('POST', '/token', { body: form })).status, 401, name.slice(0, 20))
  }
  assert.deepEqual([...answers], ['401 {"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'])
})

test('A15: guesses from all addresses of one IPv6 network count as those of one address', async () => {
  await using registry = await startRegistry({ anonymous: 'none', trustedProxies: ['127.0.0.1'] })
  const guess = async (number: number, network: string) => {
    const headers = { 'X-Forwarded-For': `${network}::${number.toString(16)}` }
    return (await registry.request('GET', '/v2/', { login: `name${number}:wrong`, headers })).status
  }
  const statuses: number[] = []
  for (let number = 1; number <= 110; number++) statuses.push(await guess(number, '2001:db8:0:1'))
  assert.deepEqual([statuses.filter((status) => status === 401).length, statuses.at(-1)], [100, 429])
  assert.equal(await guess(999, '2001:db8:0:2'), 401)
})

test('A05: whatever stands where a token should, the answer is 401 and not a failure', async () => {
  await using registry = await withEveryKind()
  const answer = await registry.request('GET', '/token?scope=repository:ann/x:pull', { login: 'ann:password-of-ann' })
  const { token } = answer.json<{ token: string }>()
  const [head, body, signature] = token.split('.') as [string, string, string]
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = JSON.parse(Buffer.from(head, 'base64url').toString())
  const headers = [
    null,
    [],
    'EdDSA',
    { ...header, alg: 'eddsa' },
    { ...header, alg: ['EdDSA'] },
    { ...header, kid: '__proto__' },
    { ...header, kid: { toString: 1 } },
    { ...header, kid: '' },
    { ...header, kid: "' OR 1=1 --" },
    { ...header, kid: '../../secret' },
    { ...header, crit: ['exp'] },
    { ...header, b64: false, crit: ['b64'] },
  ]
  const forged = [
    ...headers.map((one) => `${encode(one)}.${body}.${signature}`),
    `${head}.${body}.${'A'.repeat(86)}`,
    `${head}.${body}.${signature.slice(0, -2)}`,
    `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`,
    `${head}.${encode([])}.${signature}`,
    `${'['.repeat(9000)}.${body}.${signature}`,
    `${Buffer.from('['.repeat(6000)).toString('base64url')}.${body}.${signature}`,
    `${head}.${body}`,
    '..',
    '...',
    '.',
  ]
  for (const one of forged) {
    const { status } = await registry.request('GET', '/v2/', { token: one })
    assert.equal(status, 401, one.slice(0, 60))
  }
  assert.equal((await registry.request('GET', '/v2/', { token })).status, 200)
})

test('A03, A04: what a page, a digest, a name or a scope may not be is refused in words, never a failure', async () => {
  await using registry = await withEveryKind()
  const login = 'ann:password-of-ann'
  await registry.image('ann/web', 'one', { tag: '1', login })
  const odd = [
    '-1',
    '1e3',
    '0x10',
    '1.5',
    '%00',
    '%F0%28',
    '999999999999999999999',
    "'",
    '__proto__',
    '*',
    '%25',
    'NaN',
    '%E2%82%AC',
  ]
  const paths = odd.flatMap((value) => [
    `/v2/_catalog?n=${value}`,
    `/v2/_catalog?last=${value}`,
    `/v2/ann/web/tags/list?n=${value}`,
    `/v2/ann/web/tags/list?last=${value}`,
    `/v2/ann/web/referrers/${sha256('x')}?artifactType=${value}&last=${value}`,
    `/v2/ann/web/referrers/${value}`,
    `/v2/ann/web/manifests/${value}`,
    `/v2/ann/web/blobs/${value}`,
    `/v2/ann/web/blobs/uploads/${value}`,
    `/v2/${value}/tags/list`,
    `/token?scope=${value}`,
    `/token?scope=repository:${value}:pull`,
    `/token?scope=repository:ann/web:${value}`,
  ])
  const failed: string[] = []
  for (const path of paths) {
    for (const method of ['GET', 'HEAD', 'DELETE', 'PUT', 'POST', 'PATCH']) {
      const { status } = await registry.request(method, path, { login })
      if (status >= 500) failed.push(`${method} ${path}: ${status}`)
    }
  }
  assert.deepEqual(failed, [])
})

test('A20: no byte of a request ends a line of the audit log or moves a terminal', async () => {
  await using registry = await withEveryKind()
  const [host, port] = registry.address.split(':') as [string, string]
  const login = Buffer.from('a\r\nroot\x1b[2J\x9b2J\u2028:x').toString('base64')
  const targets = [
    '/v2/a\x1b[2J/tags/list',
    '/v2/a\x9b2J/tags/list',
    '/v2/a/manifests/x\x9b2J',
    '/v2/a/blobs/\x85x',
    '/v2/a/manifests/x',
  ]
  for (const target of targets) {
    const socket = connect(Number(port), host)
    socket.setTimeout(2000, () => socket.destroy())
    socket.write(
      Buffer.from(
        `GET ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${login}\r\nConnection: close\r\n\r\n`,
        'latin1',
      ),
    )
    await new Promise<void>((resolve) => socket.on('close', () => resolve()).resume())
  }
  const { registry: served, directory } = registry
  await served.close()
  const { openRegistryAdmin } = await import('../index.ts')
  await using admin = await openRegistryAdmin({ directory })
  const lines = await Array.fromAsync(admin.audit.entries({ outcome: 'refused' }))
  assert.ok(lines.length > 0)
  const words = lines.flatMap((line) => Object.values(line).map(String))
  assert.deepEqual(
    words.filter((word) => /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(word)),
    [],
  )
})
