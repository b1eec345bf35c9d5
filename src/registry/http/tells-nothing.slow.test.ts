/** A01: what is not there and what is not the caller's look the same, at every end point, for every kind of caller. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Answer,
  MANIFEST_TYPE,
  type Sending,
  sha256,
  startRegistry,
  type TestRegistry,
} from '../../../test/kit/registry-client.ts'

const OWNER = 'ann:password-of-ann'

interface Place {
  repository: string
  tag: string
  manifest: string
  blob: string
  upload: string
}

/** A repository with everything in it that can be asked for. */
async function filled(registry: TestRegistry, repository: string): Promise<Place> {
  const image = await registry.image(repository, repository, { tag: 'v1', login: OWNER })
  await registry.image(repository, 'signature', { login: OWNER, subject: image.descriptor, artifactType: 'a/b' })
  const begun = await registry.request('POST', `/v2/${repository}/blobs/uploads/`, { login: OWNER })
  const upload = begun.headers.location!.split('/').at(-1)!
  return { repository, tag: 'v1', manifest: image.digest, blob: image.layer, upload }
}

/** The same requests for a missing repository; the digests and IDs are those of the existing one. */
const absent = (there: Place): Place => ({ ...there, repository: there.repository.replace('there', 'empty') })

interface Ask extends Sending {
  method: string
  path: string
}

/** Every method at every end point, with the conditions and ranges that answers depend on. */
function requests({ repository, tag, manifest, blob, upload }: Place): Ask[] {
  const base = `/v2/${repository}`
  const type = { 'Content-Type': MANIFEST_TYPE }
  const everyMethod = (path: string): Ask[] =>
    ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'].map((method) => ({ method, path }))
  return [
    ...[`${base}/manifests/${tag}`, `${base}/manifests/${manifest}`, `${base}/blobs/${blob}`].flatMap(everyMethod),
    ...[`${base}/tags/list`, `${base}/referrers/${manifest}`, `${base}/blobs/uploads/`].flatMap(everyMethod),
    ...[`${base}/blobs/uploads/${upload}`, `${base}/manifests/none`, `${base}/blobs/${sha256('none')}`].flatMap(
      everyMethod,
    ),
    { method: 'GET', path: `${base}/manifests/${tag}`, headers: { 'If-None-Match': `"${manifest}"` } },
    { method: 'GET', path: `${base}/blobs/${blob}`, headers: { 'If-None-Match': `"${blob}"` } },
    { method: 'GET', path: `${base}/blobs/${blob}`, headers: { Range: 'bytes=0-0' } },
    { method: 'GET', path: `${base}/blobs/${blob}`, headers: { Range: 'bytes=999999-' } },
    { method: 'GET', path: `${base}/tags/list?n=1` },
    { method: 'GET', path: `${base}/tags/list?n=1&last=a` },
    { method: 'GET', path: `${base}/referrers/${manifest}?artifactType=a/b` },
    { method: 'PUT', path: `${base}/manifests/${tag}`, headers: type, body: '{}' },
    { method: 'PUT', path: `${base}/manifests/${manifest}?tag=v2`, headers: type, body: '{}' },
    { method: 'PATCH', path: `${base}/blobs/uploads/${upload}`, headers: { 'Content-Range': '7-8' }, body: 'xx' },
    { method: 'PATCH', path: `${base}/blobs/uploads/${upload}`, body: 'xx' },
    { method: 'PUT', path: `${base}/blobs/uploads/${upload}?digest=${blob}`, body: 'xx' },
    { method: 'POST', path: `${base}/blobs/uploads/?mount=${blob}&from=team/base` },
    { method: 'POST', path: `${base}/blobs/uploads/?digest=${blob}`, body: 'layer' },
  ]
}

/** Requests of a pusher to a repository of its own, which name somebody else's. */
function mounts({ repository, blob }: Place): Ask[] {
  const path = '/v2/bob/own/blobs/uploads/'
  return [
    { method: 'POST', path: `${path}?mount=${blob}&from=${repository}` },
    { method: 'GET', path: `/token?scope=repository:${repository}:pull` },
    { method: 'GET', path: `/token?scope=repository:${repository}:*` },
  ]
}

/** Requests to administer what is somebody else's, or to have it as one's own. */
function administration({ repository, tag, manifest }: Place): Ask[] {
  const [name, api] = [encodeURIComponent(repository), '/api/v1']
  const ask = (method: string, path: string, body?: object): Ask => ({
    ...{ method, path: `${api}${path}` },
    ...(body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const promote = (source: string, target: string) => ask('POST', '/promotions', { source, target })
  return [
    promote(`${repository}:${tag}`, 'bob/own'),
    promote(`${repository}@${manifest}`, 'bob/own:x'),
    promote(`${repository}:*`, 'bob/own'),
    promote(`${repository.split('/')[0]}/*:*`, 'bob/*'),
    promote('bob/own:x', repository),
    ask('PUT', `/repositories/${name}/name`, { name: 'bob/mine' }),
    ask('PUT', '/repositories/bob%2Fown/name', { name: repository }),
    ask('DELETE', `/redirects/${name}`),
    ask('PUT', `/quotas/${name}`, { tags: 1 }),
    ask('GET', `/quotas?owner=${name}`),
    ask('GET', `/repositories/${name}/tags/${tag}/history`),
    ask('PUT', `/repositories/${name}/tags/${tag}`, { digest: manifest }),
    ask('GET', `/unkept-tags?pattern=${name}`),
    ask('POST', '/policies/base', { pattern: 'bob/own', allow: [`${repository}:${tag}`] }),
    ask('POST', '/hooks', { name: 'bobs', url: 'http://127.0.0.1:1/', pattern: repository }),
  ]
}

/** All that a client sees, without what is another one at each request. */
function seen({ status, headers, body }: Answer, repository: string): object {
  const { date: _, 'x-request-id': __, location, 'docker-upload-uuid': ___, ...rest } = headers
  const text = JSON.stringify({ status, ...rest, location: location?.replace(/[^/]+$/, '') })
    .concat(body.toString())
    .replace(/"(?:access_)?token":"[^"]*"|"issued_at":"[^"]*"|"instance":"[^"]*"/g, '')
  return { text: text.replaceAll(repository, 'REPOSITORY').replaceAll(encodeURIComponent(repository), 'REPOSITORY') }
}

async function callers(registry: TestRegistry): Promise<Record<string, Sending>> {
  const { users, robots, accessTokens, organisations } = registry.registry
  await users.add('bob', 'password-of-bob')
  await users.grant('bob', 'team/base', 'read')
  await organisations.add('team', { owner: 'bob', adopt: true })
  const robot = await robots.add('bob+ci', { grants: [{ pattern: 'bob/own', role: 'write' }] })
  const narrow = await accessTokens.add('bob', 'narrow', { role: 'read', pattern: 'bob/**' })
  const tokenOf = async (login: string | undefined, scope: string) =>
    (await registry.request('GET', `/token?scope=${scope}`, { login })).json<{ token: string }>().token
  const hidden = 'repository:ann/there:*'
  return {
    nobody: {},
    'a wrong password': { login: 'bob:wrong' },
    'a stranger': { login: 'bob:password-of-bob' },
    'a robot': { login: `bob+ci:${robot}` },
    'an access token': { login: `bob:${narrow}` },
    "a stranger's token": { token: await tokenOf('bob:password-of-bob', hidden) },
    "a robot's token": { token: await tokenOf(`bob+ci:${robot}`, hidden) },
    "anybody's token": { token: await tokenOf(undefined, 'repository:open/web:pull') },
    'no token of ours': { token: 'x.y.z' },
  }
}

test('A01: no caller can tell what is not there from what is not its own, by any request', async () => {
  await using registry = await startRegistry({ anonymous: 'none' })
  await registry.registry.users.add('ann', 'password-of-ann', { admin: true })
  await registry.registry.visibility.publish('open/**')
  await registry.image('open/web', 'open', { tag: 'v1', login: OWNER })
  await registry.image('team/base', 'base', { tag: 'v1', login: OWNER })
  await registry.registry.policies.immutable('ann/**', '*')
  const there = await filled(registry, 'ann/there')
  const differences: string[] = []
  let compared = 0
  for (const [who, sending] of Object.entries(await callers(registry))) {
    const [theirs, none] = [there, absent(there)].map((place) => [
      ...[...requests(place), ...mounts(place)],
      ...administration(place),
    ])
    for (const [at, ask] of theirs!.entries()) {
      // A wrong password is told so ten times a minute.
      if (who === 'a wrong password' && at > 3) break
      const other = none![at]!
      const one = seen(await send(registry, ask, sending), there.repository)
      const two = seen(await send(registry, other, sending), absent(there).repository)
      compared++
      if (JSON.stringify(one) !== JSON.stringify(two)) {
        differences.push(`${who}: ${ask.method} ${ask.path}\n  ${JSON.stringify(one)}\n  ${JSON.stringify(two)}`)
      }
    }
  }
  assert.deepEqual(differences.slice(0, 10), [])
  assert.ok(compared > 500, `${compared} compared`)
  const mine = await registry.request('GET', '/v2/ann/there/manifests/v1', { login: OWNER })
  assert.equal(mine.status, 200, 'nothing of it was changed')
})

const send = (registry: TestRegistry, { method, path, headers, body }: Ask, sending: Sending) =>
  registry.request(method, path, {
    ...sending,
    headers: { ...headers, ...sending.headers },
    ...(body !== undefined && { body }),
  })

test('A01: who may push but not read elsewhere learns nothing by a manifest that names what is elsewhere', async () => {
  await using registry = await startRegistry({ anonymous: 'none' })
  await registry.registry.users.add('ann', 'password-of-ann', { admin: true })
  await registry.registry.users.add('bob', 'password-of-bob')
  const { layer, config, digest } = await registry.image('ann/there', 'content', { tag: 'v1', login: OWNER })
  const put = async (content: object, type = MANIFEST_TYPE) => {
    const answer = await registry.request('PUT', '/v2/bob/own/manifests/x', {
      login: 'bob:password-of-bob',
      headers: { 'Content-Type': type },
      body: JSON.stringify(content),
    })
    return [answer.status, answer.body.toString().replaceAll(/sha256:[0-9a-f]{64}/g, 'DIGEST')]
  }
  const imageOf = (blob: string, conf: string, subject?: string) => ({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: conf, size: 2 },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: blob, size: 3 }],
    ...(subject && { subject: { mediaType: MANIFEST_TYPE, digest: subject, size: 4 } }),
  })
  const none = sha256('none')
  assert.deepEqual(await put(imageOf(layer, config)), await put(imageOf(none, none)))
  const indexType = 'application/vnd.oci.image.index.v1+json'
  const indexOf = (child: string) => ({
    schemaVersion: 2,
    mediaType: indexType,
    manifests: [{ mediaType: MANIFEST_TYPE, digest: child, size: 5 }],
  })
  assert.deepEqual(await put(indexOf(digest), indexType), await put(indexOf(none), indexType))
})
