/** What gates mean to clients. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Answer,
  INDEX_TYPE,
  type PushedImage,
  sha256,
  startRegistry,
  type TestRegistry,
} from '../../../test/kit/registry-client.ts'
import { storeScans } from '../../../test/kit/stored-scans.ts'

const refusal = (answer: Answer) => {
  const [error] = answer.json<{ errors: { code: string; message: string }[] }>().errors
  return `${answer.status} ${error!.code}: ${error!.message}`
}

const BLOCKED =
  /^403 DENIED: policy \d+ of acme\/\*\* blocks acme\/web@sha256:[0-9a-f]{64}: 1 critical, 1 high: CVE-2024-1, CVE-2024-2; report: http:\/\/[^ /]+\/api\/v1\/images\/acme%2Fweb%40sha256%3A[0-9a-f]{64}\/scans$/

function get({ request }: TestRegistry, path: string, sending = {}): Promise<Answer> {
  return request('GET', `/v2/${path}`, sending)
}

async function pushIndex({ request }: TestRegistry, repository: string, tag: string, images: PushedImage[]) {
  const manifests = images.map(({ descriptor }, at) => ({
    ...descriptor,
    platform: { os: 'linux', architecture: ['amd64', 'arm64'][at] },
  }))
  const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests })
  const answer = await request('PUT', `/v2/${repository}/manifests/${tag}`, {
    headers: { 'Content-Type': INDEX_TYPE },
    body,
  })
  assert.equal(answer.status, 201)
  return { digest: sha256(body) }
}

/** A gate over acme, with a vulnerable and a clean image in it. */
async function gated() {
  const registry = await startRegistry()
  const bad = await registry.image('acme/web', 'bad', { tag: 'bad' })
  const good = await registry.image('acme/web', 'good', { tag: 'good' })
  await storeScans(registry.directory, [good.digest])
  const policy = await registry.registry.policies.gate('acme/**', { severity: 'high', unscanned: 'block' })
  return Object.assign(registry, { bad, good, policy })
}

test('a blocked image is refused by tag and digest, with its blobs, and says why; pushes and HEAD are not', async () => {
  await using registry = await gated()
  const { bad, good } = registry
  for (const reference of ['bad', bad.digest]) {
    assert.match(refusal(await get(registry, `acme/web/manifests/${reference}`)), BLOCKED)
    const head = await registry.request('HEAD', `/v2/acme/web/manifests/${reference}`)
    assert.deepEqual([head.status, head.headers['docker-content-digest']], [200, bad.digest])
  }
  for (const digest of [bad.config, bad.layer]) {
    assert.match(refusal(await get(registry, `acme/web/blobs/${digest}`)), BLOCKED)
    assert.match(refusal(await get(registry, `acme/web/blobs/${digest}`, { headers: { Range: 'bytes=0-1' } })), BLOCKED)
    assert.equal((await registry.request('HEAD', `/v2/acme/web/blobs/${digest}`)).status, 200)
  }
  for (const path of [`manifests/good`, `manifests/${good.digest}`, `blobs/${good.config}`, `blobs/${good.layer}`])
    assert.equal((await get(registry, `acme/web/${path}`)).status, 200, path)
  assert.equal((await registry.image('acme/web', 'bad', { tag: 'again' })).answer.status, 201)
  const conditional = { headers: { 'If-None-Match': `"${bad.digest}"` } }
  assert.match(refusal(await get(registry, 'acme/web/manifests/bad', conditional)), BLOCKED)
  const loose = await registry.blob('acme/web', 'nothing refers to it')
  assert.equal((await get(registry, `acme/web/blobs/${loose}`)).status, 200)
})

test('a blob that an image which is given out has as well is given out', async () => {
  await using registry = await gated()
  const { bad, good } = registry
  const shared = JSON.parse(good.bytes.toString())
  shared.layers.push(JSON.parse(bad.bytes.toString()).layers[0])
  const body = JSON.stringify(shared)
  await registry.request('PUT', '/v2/acme/web/manifests/shared', {
    headers: { 'Content-Type': shared.mediaType },
    body,
  })
  assert.equal((await get(registry, `acme/web/blobs/${bad.layer}`)).status, 403, 'it has not been scanned')
  await storeScans(registry.directory, [sha256(body)])
  assert.equal((await get(registry, `acme/web/blobs/${bad.layer}`)).status, 200)
  assert.equal((await get(registry, `acme/web/blobs/${bad.config}`)).status, 403)
})

test('an index is given out with any of its images; each of these is judged by itself', async () => {
  await using registry = await gated()
  const { bad, good } = registry
  const mixed = await pushIndex(registry, 'acme/web', 'mixed', [bad, good])
  const worse = await pushIndex(registry, 'acme/web', 'worse', [bad])
  assert.equal((await get(registry, 'acme/web/manifests/mixed')).status, 200)
  assert.match(refusal(await get(registry, `acme/web/manifests/${bad.digest}`)), BLOCKED)
  for (const reference of ['worse', worse.digest]) {
    assert.match(refusal(await get(registry, `acme/web/manifests/${reference}`)), BLOCKED)
  }
  await registry.registry.images.quarantine('acme/web:mixed', 'its key was stolen')
  for (const digest of [mixed.digest, good.digest]) {
    const words = refusal(await get(registry, `acme/web/manifests/${digest}`))
    assert.ok(words.startsWith(`403 DENIED: acme/web@${digest} is in quarantine: its key was stolen; report: `), words)
  }
})

test('a blocked blob is not mounted elsewhere, where it may be pushed; other repositories are not concerned', async () => {
  await using registry = await gated()
  const { bad, good } = registry
  const mount = (digest: string, from = '&from=acme/web') =>
    registry.request('POST', `/v2/other/web/blobs/uploads/?mount=${digest}${from}`)
  assert.equal((await mount(bad.layer)).status, 202)
  assert.equal((await mount(bad.layer, '')).status, 202)
  assert.equal((await mount(good.layer)).status, 201)
  assert.equal((await registry.image('other/web', 'bad', { tag: '1' })).answer.status, 201)
  assert.equal((await get(registry, 'other/web/manifests/1')).status, 200)
})

test('what refers to a blocked image is given out: signatures and reports say what it is', async () => {
  await using registry = await gated()
  const { bad } = registry
  const config = await registry.blob('acme/web', '{}')
  const of = { mediaType: 'application/vnd.oci.empty.v1+json', digest: config, size: 2 }
  const sbom = await registry.blob('acme/web', 'an SBOM')
  const layers = [{ mediaType: 'application/spdx+json', digest: sbom, size: 7 }]
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const put = async (manifest: object) => {
    const body = JSON.stringify({ schemaVersion: 2, mediaType, config: of, layers, ...manifest })
    const sending = { headers: { 'Content-Type': mediaType }, body }
    assert.equal((await registry.request('PUT', `/v2/acme/web/manifests/${sha256(body)}`, sending)).status, 201)
    return sha256(body)
  }
  await registry.registry.policies.gate('acme/**', { notCovered: 'block' })
  const attached = await put({ artifactType: 'application/spdx+json', subject: bad.descriptor })
  assert.equal(
    (await get(registry, `acme/web/referrers/${bad.digest}`)).json<{ manifests: unknown[] }>().manifests.length,
    1,
  )
  assert.equal((await get(registry, `acme/web/manifests/${attached}`)).status, 200)
  assert.equal((await get(registry, `acme/web/blobs/${sbom}`)).status, 200)
  const chart = await put({ artifactType: 'application/vnd.example.chart' })
  assert.match(
    refusal(await get(registry, `acme/web/manifests/${chart}`)),
    /it is not an image, so its content is unknown/,
  )
  // What calls itself attached but is made as an image is judged as one.
  const { config: own, layers: tars } = JSON.parse(bad.bytes.toString())
  const disguised = await put({
    subject: bad.descriptor,
    config: own,
    layers: [{ ...tars[0], mediaType: 'application/spdx+json' }],
  })
  assert.match(refusal(await get(registry, `acme/web/manifests/${disguised}`)), /not scanned yet/)
})

test('an index from elsewhere is given out before its images are here, which are judged when they come', async () => {
  await using upstream = await gated()
  await upstream.registry.policies.remove(upstream.policy)
  const { digest } = await pushIndex(upstream, 'acme/web', 'both', [upstream.bad, upstream.good])
  await using cache = await startRegistry({ upstreams: [{ prefix: 'docker.io', url: `http://${upstream.address}` }] })
  await cache.registry.policies.gate('docker.io/**', { severity: 'high', unscanned: 'block', notCovered: 'block' })
  const status = async (reference: string) => (await get(cache, `docker.io/acme/web/manifests/${reference}`)).status
  assert.deepEqual([await status('both'), await status(digest), await status(upstream.bad.digest)], [200, 200, 403])
  await storeScans(cache.directory)
  assert.deepEqual(
    [await status(upstream.bad.digest), await status('both')],
    [403, 200],
    'the other one may still come',
  )
  assert.equal(await status(upstream.good.digest), 403)
  await storeScans(cache.directory, [upstream.good.digest])
  assert.deepEqual([await status(upstream.good.digest), await status('both')], [200, 200])
})

test('pulls of what an account is exempt from are recorded once, for the manifest, and mounts are not', async () => {
  await using registry = await gated()
  const { users, policies, audit } = registry.registry
  await users.add('ann', 'password-1')
  await users.grant('ann', 'acme/*', 'read')
  await users.grant('ann', 'other/*', 'write')
  await policies.remove(registry.policy)
  await policies.gate('acme/**', { exempt: ['user:ann'] })
  const login = 'ann:password-1'
  const recorded = async () =>
    (await Array.fromAsync(audit.entries({ action: 'image.exempt' }))).map(({ target }) => target)
  const mount = `/v2/other/web/blobs/uploads/?mount=${registry.bad.layer}&from=acme/web`
  assert.equal((await registry.request('POST', mount, { login })).status, 201)
  assert.deepEqual(await recorded(), [])
  for (const digest of [registry.bad.config, registry.bad.layer])
    assert.equal((await get(registry, `acme/web/blobs/${digest}`, { login })).status, 200)
  assert.equal((await get(registry, 'acme/web/manifests/bad', { login })).status, 200)
  assert.deepEqual(await recorded(), [`acme/web@${registry.bad.digest}`])
})

test('old data is a warning that comes with the manifest, or blocks', async () => {
  await using registry = await gated()
  const { policies } = registry.registry
  const pull = async () => await get(registry, 'acme/web/manifests/good')
  assert.equal((await pull()).headers['warning'], undefined)
  const warning = await policies.gate('acme/**', { stale: 1000 })
  const answer = await pull()
  assert.equal(answer.status, 200)
  assert.match(String(answer.headers['warning']), /^299 - "the vulnerability data is .* old"$/)
  await policies.remove(warning)
  await policies.gate('acme/**', { stale: 1000, staleAct: 'block' })
  assert.match(refusal(await pull()), /the vulnerability data is .* old/)
})

test('an exception lets through until it is removed; a release passes gates; a removed policy blocks no more', async () => {
  await using registry = await gated()
  const status = async () => (await get(registry, 'acme/web/manifests/bad')).status
  const { exceptions, images, policies } = registry.registry
  const lasting = { pattern: 'acme/web', reason: 'not reachable', lasts: 86_400_000 }
  const one = await exceptions.add('GHSA-aaaa-bbbb-cccc', lasting)
  assert.match(refusal(await get(registry, 'acme/web/manifests/bad')), /: 1 high: CVE-2024-2; report/)
  await exceptions.add('CVE-2024-2', lasting)
  assert.equal(await status(), 200)
  await exceptions.remove(one)
  assert.equal(await status(), 403)
  await images.release('acme/web:bad', 'checked by hand')
  assert.equal(await status(), 200)
  await images.clear('acme/web:bad', 'checked again')
  assert.equal(await status(), 403)
  await policies.remove(registry.policy)
  assert.equal(await status(), 200)
})

test('who asks for an image that is being looked at waits for it, as the gate says', async () => {
  await using registry = await startRegistry()
  await registry.registry.policies.gate('acme/**', { severity: 'high', unscanned: { wait: 20_000 } })
  const bad = await registry.image('acme/web', 'bad', { tag: 'bad' })
  const good = await registry.image('acme/web', 'good', { tag: 'good' })
  const waiting = Promise.all([get(registry, 'acme/web/manifests/good'), get(registry, `acme/web/blobs/${bad.layer}`)])
  const first = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 300, 'waits'))])
  assert.equal(first, 'waits')
  await storeScans(registry.directory, [good.digest])
  const [manifest, blob] = await waiting
  assert.equal(manifest.status, 200)
  assert.match(refusal(blob), BLOCKED)
  await registry.image('other/web', 'other', { tag: '1' })
  await registry.registry.policies.gate('other/**', { unscanned: { wait: 700 } })
  const began = performance.now()
  assert.match(refusal(await get(registry, 'other/web/manifests/1')), /: not scanned yet; report/)
  assert.ok(performance.now() - began > 650, 'it waited first')
  await registry.image('acme/api', 'other', { tag: '1' })
  await registry.registry.policies.gate('acme/api', { unscanned: 'block' })
  assert.match(refusal(await get(registry, 'acme/api/manifests/1')), /not scanned yet/)
})

test('accounts that a gate names get what it blocks, on record; others do not, nor do administrators', async () => {
  await using registry = await gated()
  const { users, policies, audit } = registry.registry
  await users.add('root', 'password-1', { admin: true })
  for (const name of ['ann', 'bob']) {
    await users.add(name, 'password-1')
    await users.grant(name, 'acme/*', 'read')
  }
  await policies.remove(registry.policy)
  await policies.gate('acme/**', { exempt: ['user:ann'] })
  const status = async (name: string) =>
    (await get(registry, 'acme/web/manifests/bad', { login: `${name}:password-1` })).status
  assert.deepEqual(
    [await status('ann'), await status('ann'), await status('bob'), await status('root')],
    [200, 200, 403, 403],
  )
  const pulls = []
  for await (const entry of audit.entries({ action: 'image.exempt' })) pulls.push(entry)
  assert.deepEqual(
    pulls.map(({ actor, target }) => [actor, target]),
    [['user:ann', `acme/web@${registry.bad.digest}`]],
  )
})

test('a promotion of what is blocked is refused, also in an index', async () => {
  await using registry = await gated()
  await pushIndex(registry, 'acme/web', 'mixed', [registry.bad, registry.good])
  const outcomes = []
  for await (const one of registry.registry.promotions.promote('acme/web:*', 'prod/web'))
    outcomes.push([one.source, one.refusal?.code])
  assert.deepEqual(outcomes, [
    ['acme/web:bad', 'IMAGE_BLOCKED'],
    ['acme/web:good', undefined],
    ['acme/web:mixed', 'IMAGE_BLOCKED'],
  ])
  assert.equal((await get(registry, 'prod/web/manifests/bad')).status, 404)
})

test('a promotion with what refers to an image is refused when an image among that is blocked', async () => {
  await using registry = await gated()
  const { good } = registry
  const { config, layers } = JSON.parse(registry.bad.bytes.toString())
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const body = JSON.stringify({ schemaVersion: 2, mediaType, config, layers, subject: good.descriptor })
  const pushed = await registry.request('PUT', `/v2/acme/web/manifests/${sha256(body)}`, {
    headers: { 'Content-Type': mediaType },
    body,
  })
  assert.equal(pushed.status, 201)
  await storeScans(registry.directory, [good.digest])
  const codes = async (how: object) => {
    const all = await Array.fromAsync(registry.registry.promotions.promote('acme/web:good', 'prod/web', how))
    return all.map(({ refusal: why }) => why?.code)
  }
  assert.deepEqual(await codes({ referrers: true }), ['IMAGE_BLOCKED'])
  assert.deepEqual(await codes({}), [undefined])
})
