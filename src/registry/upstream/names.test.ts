import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cachedRegistry } from '../../../test/kit/cached-registry.ts'
import { type Answer, startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'
import { findUpstream, nameBelow } from './upstream-names.ts'
import { checkedUpstream } from './upstream-settings.ts'

const PRIVATE = { anonymous: 'none' } as const
const digestIn = ({ status, headers }: Answer) => [status, headers['docker-content-digest']]

test('the longest prefix counts, and names of one part are below library/ for Docker Hub alone', () => {
  const upstreams = [
    { prefix: 'docker.io', url: 'https://hub.example' },
    { prefix: 'mirror', url: 'https://registry-1.docker.io' },
    { prefix: 'mirror/quay', url: 'https://quay.io' },
  ].map(checkedUpstream)
  const named = (name: string) => {
    const found = findUpstream(upstreams, name)
    return found && `${found.upstream.prefix} ${found.there} ${found.here}`
  }
  assert.equal(named('docker.io/debian'), 'docker.io library/debian docker.io/library/debian')
  assert.equal(named('mirror/debian'), 'mirror library/debian mirror/library/debian')
  assert.equal(named('mirror/a/b'), 'mirror a/b mirror/a/b')
  assert.equal(named('mirror/quay/a'), 'mirror/quay a mirror/quay/a')
  assert.equal(named('docker.io'), undefined)
  assert.equal(named('docker.iox/a'), undefined)
  assert.equal(nameBelow(upstreams, 'docker.io', 'a'.repeat(250)), undefined)
})

test('upstreams that cannot be are refused by name', async () => {
  const refused = (message: RegExp, ...upstreams: object[]) =>
    assert.rejects(startRegistry({ upstreams: upstreams as never, mirror: 'b' }), { code: 'INVALID_ARGUMENT', message })
  const b = { prefix: 'b', url: 'https://b' }
  await refused(/not the beginning of a repository's name: A/, b, { prefix: 'A', url: 'https://a' })
  for (const url of ['a', 'ftp://a', 'https://a/x', 'https://u:p@a', 'https://a?x']) {
    await refused(/a is to come from what is not a URL of scheme and host/, b, { prefix: 'a', url })
  }
  await refused(/not a pattern of repositories: A/, { ...b, allow: ['A'] })
  await refused(/two upstreams have the prefix b/, b, b)
  await refused(
    /two upstreams are called x by clients/,
    { ...b, namespaces: ['x'] },
    { prefix: 'c', url: 'https://c', namespaces: ['x'] },
  )
  await refused(/no upstream has the prefix b, which the registry is to mirror/, { prefix: 'c', url: 'https://c' })
})

test('clients of containerd’s mirrors name the registry, and get what it has; others’ is not here', async () => {
  await using under = await cachedRegistry({ namespaces: ['docker.io', 'hub.example'] })
  const image = await under.upstream.image('library/web', 'one', { tag: '1' })
  await under.cache.image('library/web', 'ours', { tag: '1', login: await ann(under.cache) })
  const get = (path: string) => under.get(`/v2/library/web/${path}`)
  for (const namespace of ['docker.io', 'hub.example']) {
    assert.deepEqual(digestIn(await get(`manifests/1?ns=${namespace}`)), [200, image.digest])
  }
  assert.equal((await get(`blobs/${image.layer}?ns=docker.io`)).body.toString(), 'layer of one')
  const tags = await get('tags/list?ns=docker.io&n=1')
  assert.deepEqual(tags.json(), { name: 'library/web', tags: ['1'] })
  for (const path of ['manifests/1', `blobs/${image.layer}`, 'tags/list']) {
    const answer = await get(`${path}?ns=quay.io`)
    assert.deepEqual([answer.status, answer.codes()], [404, ['NAME_UNKNOWN']])
  }
  const own = digestIn(await get('manifests/1'))
  assert.notEqual(own[1], image.digest)
  assert.deepEqual(digestIn(await get(`manifests/1?ns=${under.cache.address}`)), own, 'its own name')
  const pushed = await under.cache.request('POST', '/v2/library/web/blobs/uploads/?ns=docker.io', {
    login: await ann(under.cache),
  })
  assert.equal(pushed.status, 403)
})

test('a page of an upstream’s list names the upstream in its link', async () => {
  await using under = await cachedRegistry()
  for (const tag of ['1', '2']) await under.upstream.image('library/web', tag, { tag })
  const first = await under.get('/v2/library/web/tags/list?ns=docker.io&n=1')
  const [, next] = /^<(.+)>/.exec(String(first.headers['link']))!
  assert.deepEqual((await under.get(next!)).json(), { name: 'library/web', tags: ['2'] })
})

/** The login of a user who may write to library/* and team/*. */
async function ann({ registry }: TestRegistry): Promise<string> {
  if ((await registry.users.list()).length === 0) {
    await registry.users.add('ann', 'password-of-ann')
    for (const pattern of ['library/*', 'team/*']) await registry.users.grant('ann', pattern, 'write')
  }
  return 'ann:password-of-ann'
}

test('clients of docker’s mirrors get what is here by its name, and all else from the upstream', async () => {
  await using under = await cachedRegistry({ serve: { mirror: 'docker.io', ...PRIVATE } })
  const { cache, upstream, get } = under
  await cache.registry.visibility.publish('docker.io/**')
  const login = await ann(cache)
  const hub = await upstream.image('library/web', 'hub', { tag: '1' })
  const theirs = await upstream.image('team/secret', 'theirs', { tag: '1' })
  const ours = await cache.image('team/secret', 'ours', { tag: '1', login })
  assert.deepEqual(digestIn(await get('/v2/library/web/manifests/1')), [200, hub.digest])
  assert.deepEqual(digestIn(await get('/v2/web/manifests/1')), [200, hub.digest])
  assert.equal((await get(`/v2/library/web/blobs/${hub.layer}`)).body.toString(), 'layer of hub')
  const mine = await cache.request('GET', '/v2/team/secret/manifests/1', { login })
  assert.deepEqual(digestIn(mine), [200, ours.digest])
  assert.deepEqual(
    digestIn(await get('/v2/team/secret/manifests/1')),
    [200, theirs.digest],
    'as if ours were not there',
  )
  assert.equal((await get('/v2/team/none/manifests/1')).status, 404)
  const pushed = await cache.image('team/new', 'pushed', { tag: '1', login })
  assert.equal(pushed.answer.status, 201)
})

test('a token for a repository as clients of a mirror call it is good for it, and gives nothing else', async () => {
  await using under = await cachedRegistry({ serve: { mirror: 'docker.io', ...PRIVATE } })
  const { cache, upstream } = under
  const image = await upstream.image('library/web', 'hub', { tag: '1' })
  await cache.registry.users.add('bob', 'password-of-bob')
  await cache.registry.users.grant('bob', 'docker.io/library/*', 'read')
  const tokenFor = async (name: string, login?: string) => {
    const answer = await cache.request('GET', `/token?service=bale-registry&scope=repository:${name}:pull`, { login })
    return answer.json<{ token: string }>().token
  }
  const pull = async (name: string, token: string) =>
    (await cache.request('GET', `/v2/${name}/manifests/1`, { token })).status
  for (const name of ['library/web', 'web', 'docker.io/library/web', 'docker.io/web']) {
    const token = await tokenFor(name, 'bob:password-of-bob')
    assert.equal(await pull(name, token), 200, name)
  }
  assert.equal(await pull('library/web', await tokenFor('library/other', 'bob:password-of-bob')), 401)
  assert.equal((await cache.request('GET', '/v2/library/web/manifests/1')).status, 401)
  const withNamespace = await tokenFor('docker.io/library/web', 'bob:password-of-bob')
  const named = await cache.request('GET', '/v2/library/web/manifests/1?ns=docker.io', { token: withNamespace })
  assert.deepEqual(digestIn(named), [200, image.digest])
})

test('A14: what the upstream gives to this registry is read by those alone who have the right to it here', async () => {
  await using upstream = await startRegistry({ anonymous: 'none' })
  await upstream.registry.users.add('cache', 'password-of-cache')
  await upstream.registry.users.grant('cache', 'team/**', 'write')
  const own = { login: 'cache:password-of-cache' }
  const image = await upstream.image('team/secret', 'one', { tag: '1', ...own })
  const login = { username: 'cache', password: 'password-of-cache' }
  const serve = PRIVATE
  await using under = await cachedRegistry({ url: `http://${upstream.address}`, login, serve })
  const { users } = under.cache.registry
  await users.add('ann', 'password-of-ann')
  await users.add('bob', 'password-of-bob')
  await users.grant('ann', 'docker.io/team/*', 'read')
  const paths = [
    'manifests/1',
    `manifests/${image.digest}`,
    `blobs/${image.layer}`,
    'tags/list',
    `referrers/${image.digest}`,
  ]
  const statuses = async (user?: string) => {
    const sending = user === undefined ? {} : { login: `${user}:password-of-${user}` }
    const answers = paths.map((path) => under.cache.request('GET', `/v2/docker.io/team/secret/${path}`, sending))
    return (await Promise.all(answers)).map(({ status }) => status)
  }
  assert.deepEqual(await statuses('bob'), [403, 403, 403, 403, 403])
  assert.deepEqual(await statuses(), [401, 401, 401, 401, 401])
  assert.deepEqual(await statuses('ann'), [200, 200, 200, 200, 200])
  assert.deepEqual(await statuses('bob'), [403, 403, 403, 403, 403], 'also when it is here')
  const mount = `/v2/bob/x/blobs/uploads/?mount=${image.layer}&from=docker.io/team/secret`
  const mounted = await under.cache.request('POST', mount, { login: 'bob:password-of-bob' })
  assert.equal(mounted.status, 202, 'nor is it mounted')
})
