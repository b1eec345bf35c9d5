/** What the client of the distribution checks does by itself, on servers that bale's own does not resemble. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { distributionClient } from './kit/distribution-checks.ts'
import { planServer, type SeenRequest } from './kit/planned-server.ts'

const BASIC = `Basic ${Buffer.from('ann:secret').toString('base64')}`

test('a redirect is followed with method and body, and credentials do not leave the registry', async () => {
  await using storage = await planServer(({ method, body }, response) => response.end(`${method} ${body}`))
  await using registry = await planServer((_, response) => {
    response.writeHead(307, { Location: `${storage.url}/bytes` }).end()
  })
  const client = distributionClient({ url: registry.url, login: { basic: 'ann:secret' } })
  const answer = await client.request('PUT', '/v2/a/blobs/x', { body: Buffer.from('some bytes') })
  assert.deepEqual([answer.status, `${answer.body}`, `${answer.url}`], [200, 'PUT some bytes', `${storage.url}/bytes`])
  assert.equal(registry.seen[0]?.headers.authorization, BASIC)
  assert.equal(storage.seen[0]?.headers.authorization, undefined)
})

test('a token is asked for by its scopes, kept for the same purpose, and asked for again when that needs more', async () => {
  await using registry = await planServer(challenging)
  const client = distributionClient({ url: registry.url, login: { token: 'ann:secret' } })
  const upload = '/v2/a/blobs/uploads/'
  assert.equal((await client.request('POST', upload)).status, 202)
  assert.equal((await client.request('POST', upload)).status, 202)
  assert.equal((await client.request('POST', `${upload}?from=b`)).status, 202)
  const seen = registry.seen.map(({ method, path, headers }) => `${method} ${path} ${headers.authorization}`)
  assert.deepEqual(seen, [
    `POST ${upload} undefined`,
    `GET /token?service=it&scope=a%3Apush ${BASIC}`,
    `POST ${upload} Bearer a:push`,
    `POST ${upload} Bearer a:push`,
    `POST ${upload}?from=b Bearer a:push`,
    `GET /token?service=it&scope=a%3Apush&scope=b%3Apull ${BASIC}`,
    `POST ${upload}?from=b Bearer a:push b:pull`,
  ])
  const other = distributionClient({ url: registry.url, login: { token: 'ann:secret' } })
  assert.equal((await other.request('POST', `${upload}?from=b`)).status, 202, 'one challenge after the other')
})

/** Its tokens are the scopes that they are for. Who shows none is challenged for the first scope only. */
function challenging({ path, headers }: SeenRequest, response: ServerResponse): void {
  const url = new URL(path, `http://${headers.host}`)
  if (url.pathname === '/token') {
    return void response.end(JSON.stringify({ token: url.searchParams.getAll('scope').join(' ') }))
  }
  const needed = url.searchParams.has('from') ? 'a:push b:pull' : 'a:push'
  const isGranted = headers.authorization === `Bearer ${needed}`
  const scope = headers.authorization ? needed : 'a:push'
  const challenge = `Bearer realm="${url.origin}/token",service="it",scope="${scope}"`
  response.writeHead(isGranted ? 202 : 401, isGranted ? {} : { 'WWW-Authenticate': challenge }).end()
}
