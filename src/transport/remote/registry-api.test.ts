import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixedCredential } from '#transport/credentials'
import { planServer } from '../../../test/kit/planned-server.ts'
import { openRegistryApi } from './registry-api.ts'

const limits = { firstDelay: 1, longestDelay: 2, attempts: 3 }
const password = { kind: 'password', username: 'ann', password: 'a secret' } as const
const options = (host: string) => ({ credentials: fixedCredential(host, password), limits, scope: 'registry:api:*' })

test('a token is asked for with the scope of the caller, and serves until it is refused', async () => {
  const asked: string[] = []
  await using server = await planServer(({ path, headers }, response) => {
    const url = new URL(path, 'http://x')
    if (url.pathname === '/token') {
      asked.push(url.searchParams.getAll('scope').join(' '))
      return response.end('{"token":"good"}')
    }
    if (headers.authorization === 'Bearer good') return response.end('{"items":[]}')
    const challenge = `Bearer realm="http://${headers.host}/token",service="s",scope="repository:other:push"`
    return response.writeHead(401, { 'www-authenticate': challenge }).end()
  })
  await using api = openRegistryApi(server.host, options(server.host))
  for (const path of ['/api/v1/users', '/api/v1/teams?organisation=a%2Fb']) {
    assert.deepEqual(await api.send({ method: 'GET', path }), {
      status: 200,
      mediaType: undefined,
      body: '{"items":[]}',
    })
  }
  assert.deepEqual(asked, ['registry:api:*'])
  assert.equal(server.seen.at(-1)?.path, '/api/v1/teams?organisation=a%2Fb')
})

test('a refusal is an answer; what is temporary is tried again when it may be sent twice, and else fails', async () => {
  await using server = await planServer(({ method }, response, seen) => {
    if (method === 'GET' && seen.length < 3) return response.writeHead(503).end()
    const type = { 'content-type': 'Application/Problem+JSON; charset=utf-8' }
    if (method === 'POST') return response.writeHead(503, type).end('{"detail":"the disk is on fire"}')
    return response.writeHead(409, type).end('{"detail":"no"}')
  })
  await using api = openRegistryApi(server.host, options(server.host))
  assert.deepEqual(await api.send({ method: 'GET', path: '/x' }), {
    status: 409,
    mediaType: 'application/problem+json',
    body: '{"detail":"no"}',
  })
  assert.equal(server.seen.length, 3)
  await assert.rejects(api.send({ method: 'POST', path: '/x', body: '{}' }), {
    code: 'REGISTRY_FAILED',
    message: /status 503 .*: the disk is on fire/,
  })
  assert.equal(server.seen.length, 4, 'once')
  assert.equal(server.seen[3]?.headers['content-type'], 'application/json')
})

test('C02 a body, which may have a password, follows no redirect to another host', async () => {
  await using elsewhere = await planServer((_request, response) => response.end('{}'))
  await using server = await planServer((_request, response) =>
    response.writeHead(307, { location: `${elsewhere.url}/x` }).end(),
  )
  await using api = openRegistryApi(server.host, options(server.host))
  await assert.rejects(api.send({ method: 'PUT', path: '/x', body: '{"password":"a secret"}' }), /redirect/)
  assert.equal(elsewhere.seen.length, 0)
})

test('C05 plain http to another machine is refused before anything is sent, unless that is configured', async () => {
  const base = new URL('http://r.example')
  assert.throws(() => openRegistryApi('r.example', { ...options('r.example'), base }), {
    code: 'INVALID_ARGUMENT',
    message: /plain text to http:\/\/r\.example\//,
  })
  await using api = openRegistryApi('r.example', { ...options('r.example'), base, insecure: true })
  assert.equal(api.name, 'r.example')
})
