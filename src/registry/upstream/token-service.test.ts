import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cachedRegistry } from '../../../test/kit/cached-registry.ts'
import { planServer } from '../../../test/kit/planned-server.ts'
import { digestOf } from '../../../test/kit/scripted-registry.ts'

test('A14: the login goes to no other host that the upstream names, and the operator hears of it', async () => {
  await using thief = await planServer((_request, response) => response.end('{"token":"x"}'))
  const realm = thief.url.replace('localhost', '127.0.0.2').replace('127.0.0.1', '127.0.0.2')
  await using upstream = await planServer((_request, response) =>
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}/token",service="s"` }).end(),
  )
  const login = { username: 'ann', password: 'secret-of-ann' }
  await using under = await cachedRegistry({ url: upstream.url, login })
  const answer = await under.get('/v2/docker.io/a/b/manifests/1')
  assert.deepEqual([answer.status, answer.codes()], [403, ['DENIED']])
  assert.match(
    under.reports[0]!,
    /names a token service that is not acceptable: 127\.0\.0\.2:\d+ is not one that it may have/,
  )
  assert.deepEqual(thief.seen, [])
  assert.ok(upstream.seen.every(({ headers }) => headers.authorization === undefined))
})

test('a login that the upstream does not accept is told to the operator, and not to clients', async () => {
  await using under = await cachedRegistry({
    login: { username: 'ann', password: 'wrong' },
    upstream: { anonymous: 'none' },
  })
  const answer = await under.get('/v2/docker.io/a/b/manifests/1')
  assert.deepEqual([answer.status, answer.codes()], [403, ['DENIED']])
  assert.doesNotMatch(answer.body.toString(), /login|password|127\.0\.0\.1/)
  assert.match(
    under.reports.join('\n'),
    /docker\.io does not give a\/b to this registry: .* refused the login for a\/b/,
  )
})

test('A14: the login goes to no other host that a blob is redirected to', async () => {
  await using store = await planServer((_request, response) =>
    response.writeHead(200, { 'content-length': 5 }).end('bytes'),
  )
  const digest = digestOf(Buffer.from('bytes'))
  await using upstream = await planServer(({ headers, path }, response) => {
    if (headers.authorization === undefined) {
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end()
    }
    if (path.includes('/manifests/')) return response.writeHead(404).end()
    return response.writeHead(307, { location: `${store.url}/x`, 'content-length': 0 }).end()
  })
  const login = { username: 'ann', password: 'secret-of-ann' }
  await using under = await cachedRegistry({ url: upstream.url, login })
  assert.equal((await under.get(`/v2/docker.io/a/b/blobs/${digest}`)).body.toString(), 'bytes')
  assert.ok(store.seen.length > 0)
  assert.ok(store.seen.every(({ headers }) => headers.authorization === undefined))
})
