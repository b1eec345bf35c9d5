import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { type CachedRegistry, cachedRegistry as cached } from '../../../test/kit/cached-registry.ts'
import { INDEX_TYPE } from '../../../test/kit/registry-client.ts'
import { digestOf, publish, publishDocument, scriptedRegistry } from '../../../test/kit/scripted-registry.ts'

const HOUR = 3_600_000
const answeredBy = ({ events }: CachedRegistry) =>
  events.flatMap((event) => (event.kind === 'cache-answered' ? [`${event.what} ${event.outcome}`] : []))

test('an image comes from its upstream once, and from here after that', async () => {
  await using under = await cached()
  const image = await under.upstream.image('team/web', 'one', { tag: '1' })
  for (const _ of [1, 2]) {
    const manifest = await under.get('/v2/docker.io/team/web/manifests/1')
    assert.deepEqual([manifest.status, manifest.headers['docker-content-digest']], [200, image.digest])
    assert.equal(manifest.headers['content-type'], 'application/vnd.oci.image.manifest.v1+json')
    assert.ok(manifest.body.equals(image.bytes))
    const layer = await under.get(`/v2/docker.io/team/web/blobs/${image.layer}`)
    assert.deepEqual([layer.status, layer.body.toString()], [200, 'layer of one'])
  }
  assert.deepEqual(under.asked(), ['GET team/web/manifests/1', `GET team/web/blobs/${image.layer}`])
  assert.deepEqual(answeredBy(under), ['manifest miss', 'blob miss', 'manifest hit', 'blob hit'])
  const byDigest = await under.get(`/v2/docker.io/team/web/manifests/${image.digest}`)
  assert.ok(byDigest.body.equals(image.bytes))
  assert.deepEqual(under.asked(), [])
  assert.deepEqual(under.reports, [])
})

test('twenty clients that pull one image at once make one request for each part of it', async () => {
  await using under = await cached()
  const content = randomBytes(5 << 20).toString('base64')
  const image = await under.upstream.image('team/web', content, { tag: '1' })
  const pull = async () => {
    const manifest = await under.get('/v2/docker.io/team/web/manifests/1')
    const blobs = [image.config, image.layer].map((digest) => under.get(`/v2/docker.io/team/web/blobs/${digest}`))
    const [config, layer] = await Promise.all(blobs)
    assert.deepEqual([manifest.status, config!.status, layer!.status], [200, 200, 200])
    assert.ok(layer!.body.equals(Buffer.from(`layer of ${content}`)))
  }
  await Promise.all(Array.from({ length: 20 }, pull))
  assert.deepEqual(under.asked().sort(), [
    ...[image.config, image.layer].sort().map((digest) => `GET team/web/blobs/${digest}`),
    'GET team/web/manifests/1',
  ])
})

test('a tag is asked for again after its time: unchanged by HEAD, changed and taken, gone and gone here', async () => {
  await using under = await cached({ tagsFreshFor: HOUR })
  const one = await under.upstream.image('team/web', 'one', { tag: '1' })
  const tag = '/v2/docker.io/team/web/manifests/1'
  await under.get(tag)
  under.pass(HOUR - 1000)
  await under.get(tag)
  assert.deepEqual(under.asked(), ['GET team/web/manifests/1'])
  under.pass(2000)
  assert.equal((await under.get(tag)).headers['docker-content-digest'], one.digest)
  assert.equal((await under.get(tag)).headers['docker-content-digest'], one.digest)
  assert.deepEqual(under.asked(), ['HEAD team/web/manifests/1'])
  const two = await under.upstream.image('team/web', 'two', { tag: '1' })
  under.pass(HOUR)
  assert.equal((await under.get(tag)).headers['docker-content-digest'], two.digest)
  assert.deepEqual(under.asked(), ['HEAD team/web/manifests/1', 'GET team/web/manifests/1'])
  await under.upstream.request('PUT', '/v2/team/web/manifests/1', {
    headers: { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' },
    body: one.bytes,
  })
  under.pass(HOUR)
  assert.equal((await under.get(tag)).headers['docker-content-digest'], one.digest)
  assert.deepEqual(under.asked(), ['HEAD team/web/manifests/1'], 'its manifest was here')
  await under.upstream.request('DELETE', '/v2/team/web/manifests/1')
  under.pass(HOUR)
  assert.equal((await under.get(tag)).status, 404)
  assert.equal((await under.get(`/v2/docker.io/team/web/manifests/${two.digest}`)).status, 200)
  assert.deepEqual(answeredBy(under), [
    'manifest miss',
    'manifest hit',
    'manifest confirmed',
    'manifest hit',
    'manifest miss',
    'manifest miss',
    'manifest hit',
  ])
})

test('of an upstream that does not say a digest by HEAD, the tag is asked for by GET', async () => {
  await using upstream = await scriptedRegistry()
  const digest = publish(upstream, '1', { tars: [] })
  await using under = await cached({ url: `http://${upstream.host}`, tagsFreshFor: 0 })
  for (const _ of [1, 2]) {
    const answer = await under.get('/v2/docker.io/a/b/manifests/1')
    assert.deepEqual([answer.status, answer.headers['docker-content-digest']], [200, digest])
  }
  assert.deepEqual(
    upstream.requests.map(({ method }) => method),
    ['GET', 'HEAD', 'GET'],
  )
})

for (const [name, how] of [
  ['429', { act: 'answer', status: 429, headers: { 'Retry-After': '30' } }],
  ['503', { act: 'answer', status: 503 }],
  ['connections that break', { act: 'reset' }],
] as const) {
  test(`what is here is served when the upstream answers with ${name}, for its time, and the operator hears of it once`, async () => {
    await using under = await cached({ tagsFreshFor: HOUR, serveStaleFor: 2 * HOUR })
    const image = await under.upstream.image('team/web', 'one', { tag: '1' })
    const tag = '/v2/docker.io/team/web/manifests/1'
    await under.get(tag)
    under.way.add({ how, last: 1000 })
    under.pass(1.5 * HOUR)
    for (const _ of [1, 2]) {
      const stale = await under.get(tag)
      assert.deepEqual([stale.status, stale.headers['docker-content-digest']], [200, image.digest])
      assert.equal(stale.headers['warning'], '111 - "Revalidation Failed"')
      assert.ok(Number(stale.headers['age']) >= 1.5 * 3600 && Number(stale.headers['age']) < 1.6 * 3600)
    }
    assert.equal(under.reports.length, 1)
    assert.match(
      under.reports[0]!,
      /^docker\.io does not give team\/web at the moment: .*; what was fetched before is served$/,
    )
    under.asked()
    await under.get(tag)
    assert.deepEqual(under.asked(), [], 'it is not asked again at once')
    under.pass(2 * HOUR)
    const late = await under.get(tag)
    assert.equal(late.status, name === '429' ? 429 : 502)
    assert.match(late.json<{ errors: { message: string }[] }>().errors[0]!.message, /^docker\.io /)
  })
}

const messageOf = ({ body }: { body: Buffer }) =>
  (JSON.parse(body.toString()) as { errors: { code: string; message: string }[] }).errors.map(
    ({ code, message }) => `${code}: ${message}`,
  )

test('what the upstream does not have, does not give, or does not say is answered for what it is', async () => {
  await using under = await cached()
  const absent = [await under.get('/v2/docker.io/team/none/manifests/1')]
  absent.push(await under.get(`/v2/docker.io/team/none/blobs/${digestOf(Buffer.from('none'))}`))
  absent.push(await under.get('/v2/docker.io/team/none/tags/list'))
  assert.deepEqual(
    absent.map((answer) => [answer.status, answer.codes()[0]]),
    [
      [404, 'MANIFEST_UNKNOWN'],
      [404, 'BLOB_UNKNOWN'],
      [404, 'NAME_UNKNOWN'],
    ],
  )
  for (const [status, answered, message] of [
    [401, 403, 'DENIED: docker.io does not let this registry have it'],
    [403, 403, 'DENIED: docker.io does not let this registry have it'],
    [429, 429, 'TOOMANYREQUESTS: docker.io asks to retry later'],
    [500, 502, 'UNAVAILABLE: docker.io does not answer as a registry should'],
  ] as const) {
    const path = `/v2/docker.io/team/answers${status}/manifests/1`
    under.way.add({ path: new RegExp(`answers${status}`), last: 99, how: { act: 'answer', status } })
    const answer = await under.get(path)
    assert.deepEqual([answer.status, ...messageOf(answer)], [answered, message])
  }
  await under.way[Symbol.asyncDispose]()
  const gone = await under.get('/v2/docker.io/team/web/manifests/1')
  assert.deepEqual(
    [gone.status, ...messageOf(gone), gone.headers['retry-after']],
    [503, 'UNAVAILABLE: docker.io cannot be reached at the moment', '2'],
  )
})

test('what is wrong with one tag is answered from here, and says nothing about others', async () => {
  await using upstream = await scriptedRegistry()
  await using under = await cached({ url: `http://${upstream.host}`, tagsFreshFor: 0 })
  const [one, two] = [publish(upstream, '1', { tars: [] }), publish(upstream, '2', { tars: [Buffer.from('x')] })]
  const digest = async (tag: string) =>
    (await under.get(`/v2/docker.io/a/b/manifests/${tag}`)).headers['docker-content-digest']
  assert.deepEqual([await digest('1'), await digest('2')], [one, two])
  publishDocument(upstream, '1', Buffer.from('{}'), 'application/vnd.oci.image.index.v1+json')
  const changed = publish(upstream, '2', { tars: [Buffer.from('y')] })
  assert.deepEqual([await digest('1'), await digest('2')], [one, changed])
})

test('A14: a manifest or blob with another digest is neither stored nor given', async () => {
  await using upstream = await scriptedRegistry()
  await using under = await cached({ url: `http://${upstream.host}` })
  const right = Buffer.from('the right bytes')
  const wrong = Buffer.from('the wrong bytes')
  const digest = digestOf(right)
  upstream.blobs.set(digest, wrong)
  for (const _ of [1, 2]) await assert.rejects(under.get(`/v2/docker.io/a/b/blobs/${digest}`), /aborted|hang up|reset/)
  await assert.rejects(under.get(`/v2/docker.io/a/b/blobs/${digest}`, { Range: 'bytes=0-3' }).then(failing))
  upstream.blobs.set(digest, right)
  assert.equal((await under.get(`/v2/docker.io/a/b/blobs/${digest}`)).body.toString(), 'the right bytes')
  const image = publish(upstream, 'good', { tars: [] })
  publishDocument(upstream, 'bad', Buffer.from('{"schemaVersion":2}'), 'application/vnd.oci.image.index.v1+json')
  const bytes = Buffer.from(`${upstream.manifests.get('good')!.bytes.toString()} `)
  upstream.manifests.set(image, { bytes, mediaType: upstream.manifests.get('good')!.mediaType })
  for (const reference of [image, 'bad']) {
    const answer = await under.get(`/v2/docker.io/a/b/manifests/${reference}`)
    assert.deepEqual([answer.status, answer.codes()], [502, ['UNAVAILABLE']])
  }
  assert.ok(under.reports.some((line) => line.includes(`but ${digestOf(wrong)}`) || line.includes(digestOf(wrong))))
  const checked = await under.cache.registry.collectGarbage({ uploadsOlderThan: 0, grace: 0 })
  assert.equal(checked.uploads, 0, 'nothing of what was refused is left')
})

const failing = ({ status }: { status: number }) => {
  if (status >= 400) throw new Error(`status ${status}`)
}

test('a download that the upstream cuts goes on; one that it gives up breaks for the client as well', async () => {
  await using under = await cached()
  const image = await under.upstream.image('team/web', randomBytes(1 << 20).toString('base64'), { tag: '1' })
  const layer = `/v2/docker.io/team/web/blobs/${image.layer}`
  under.way.add({ method: 'GET', path: /\/blobs\//, how: { act: 'cut', bytes: 300_000 } })
  const whole = await under.get(layer)
  assert.equal(digestOf(whole.body), image.layer)
  assert.equal(under.asked().filter((line) => line.startsWith('GET')).length, 2)
  const other = await under.upstream.image('team/web', randomBytes(1 << 20).toString('base64'), { tag: '2' })
  const given = under.way.add({ method: 'GET', path: /\/blobs\//, last: 99, how: { act: 'cut', bytes: 1000 } })
  await assert.rejects(under.get(`/v2/docker.io/team/web/blobs/${other.layer}`), /aborted|hang up|reset/)
  assert.ok(given.struck() > 1)
  assert.match(under.reports.at(-1)!, /^docker\.io does not give team\/web at the moment: /)
})

test('a part of a blob, and its size, are answered too; the part when all of it is here', async () => {
  await using under = await cached()
  const image = await under.upstream.image('team/web', 'one', { tag: '1' })
  const layer = `/v2/docker.io/team/web/blobs/${image.layer}`
  const head = await under.cache.request('HEAD', layer)
  assert.deepEqual([head.status, head.headers['content-length']], [200, '12'])
  assert.deepEqual(under.asked(), [`HEAD team/web/blobs/${image.layer}`])
  const part = await under.get(layer, { Range: 'bytes=9-' })
  assert.deepEqual([part.status, part.body.toString(), part.headers['content-range']], [206, 'one', 'bytes 9-11/12'])
  const again = await under.get(layer, { Range: 'bytes=0-4' })
  assert.deepEqual([again.status, again.body.toString()], [206, 'layer'])
  assert.deepEqual(under.asked(), [`HEAD team/web/blobs/${image.layer}`, `GET team/web/blobs/${image.layer}`])
})

test('nothing is pushed below a prefix, but what is there can be deleted, and comes again', async () => {
  await using under = await cached({ serve: { anonymous: 'push' } })
  const image = await under.upstream.image('team/web', 'one', { tag: '1' })
  const manifest = '/v2/docker.io/team/web/manifests/1'
  await under.get(manifest)
  const put = await under.cache.request('PUT', manifest, { body: image.bytes })
  const post = await under.cache.request('POST', '/v2/docker.io/new/blobs/uploads/')
  assert.deepEqual(
    [put, post].map((answer) => [answer.status, ...messageOf(answer)]),
    [
      [405, 'UNSUPPORTED: docker.io/team/web comes from docker.io, which alone fills it'],
      [405, 'UNSUPPORTED: docker.io/library/new comes from docker.io, which alone fills it'],
    ],
  )
  assert.equal((await under.cache.image('team/own', 'two', { tag: '1' })).answer.status, 201)
  const one = `/v2/docker.io/team/web/manifests/${image.digest}`
  assert.equal((await under.cache.request('DELETE', one)).status, 202)
  assert.equal((await under.get(manifest)).status, 200)
  assert.deepEqual(under.asked(), ['GET team/web/manifests/1', 'GET team/web/manifests/1'])
})

test('an image from an upstream is promoted once all of it was fetched, and nothing else gets below a prefix', async () => {
  await using under = await cached({ serve: { anonymous: 'push' } })
  const image = await under.upstream.image('team/web', 'one', { tag: '1' })
  const { promotions, renames } = under.cache.registry
  const promote = async (source: string, target: string) => {
    for await (const { refusal } of promotions.promote(source, target))
      return refusal && `${refusal.code}: ${refusal.message}`
    return assert.fail('it tells what became of the image')
  }
  await under.get('/v2/docker.io/team/web/manifests/1')
  await under.get(`/v2/docker.io/team/web/blobs/${image.config}`)
  const incomplete = await promote('docker.io/team/web:1', 'prod/web')
  assert.match(
    incomplete ?? '',
    new RegExp(`^BLOB_NOT_FOUND: docker.io/team/web@${image.digest} needs ${image.layer}, which was not fetched`),
  )
  assert.equal((await under.get('/v2/prod/web/manifests/1')).status, 404)
  await under.get(`/v2/docker.io/team/web/blobs/${image.layer}`)
  assert.equal(await promote('docker.io/team/web:1', 'prod/web'), undefined)
  assert.equal((await under.get(`/v2/prod/web/blobs/${image.layer}`)).status, 200)
  const elsewhere = 'comes from docker.io, which alone fills it'
  assert.equal(await promote('prod/web:1', 'docker.io/team/own'), `DENIED: docker.io/team/own ${elsewhere}`)
  for (const [from, to] of [
    ['prod/web', 'docker.io/team/own'],
    ['docker.io/team/web', 'prod/other'],
  ] as const) {
    await assert.rejects(renames.rename(from, to), {
      code: 'DENIED',
      message: new RegExp(`^docker.io/.* ${elsewhere}$`),
    })
  }
})

test('an index with platforms that were not fetched is refused, and the images beside it are promoted', async () => {
  await using under = await cached({ serve: { anonymous: 'push' } })
  const [one, two] = [
    await under.upstream.image('team/web', 'one', { tag: 'b' }),
    await under.upstream.image('team/web', 'two', { tag: 'c' }),
  ]
  const manifests = [one.descriptor, two.descriptor]
  await under.upstream.request('PUT', '/v2/team/web/manifests/a', {
    body: JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }),
    headers: { 'content-type': INDEX_TYPE },
  })
  for (const path of ['manifests/a', 'manifests/b', `blobs/${one.config}`, `blobs/${one.layer}`]) {
    assert.equal((await under.get(`/v2/docker.io/team/web/${path}`)).status, 200)
  }
  const lines: string[] = []
  for await (const { source, refusal } of under.cache.registry.promotions.promote('docker.io/team/web:*', 'prod/web')) {
    lines.push(`${source} ${refusal?.code ?? 'promoted'}`)
  }
  assert.deepEqual(lines, ['docker.io/team/web:a MANIFEST_NOT_FOUND', 'docker.io/team/web:b promoted'])
})

test('only allowed repositories come from an upstream, also what is here already', async () => {
  await using under = await cached({ allow: ['team/*'] })
  await under.upstream.image('team/web', 'one', { tag: '1' })
  await under.upstream.image('other/web', 'one', { tag: '1' })
  assert.equal((await under.get('/v2/docker.io/team/web/manifests/1')).status, 200)
  for (const path of [
    'manifests/1',
    `blobs/${digestOf(Buffer.from('x'))}`,
    'tags/list',
    `referrers/${digestOf(Buffer.from('x'))}`,
  ]) {
    const answer = await under.get(`/v2/docker.io/other/web/${path}`)
    assert.deepEqual([answer.status, answer.codes()], [404, ['NAME_UNKNOWN']])
  }
  assert.deepEqual(under.asked(), ['GET team/web/manifests/1'])
})

test('lists of tags and referrers are the upstream’s for a minute, and what is known here when it cannot be asked', async () => {
  await using under = await cached()
  const one = await under.upstream.image('team/web', 'one', { tag: 'b' })
  await under.upstream.image('team/web', 'two', { tag: 'a' })
  await under.upstream.image('team/web', 'three', { tag: 'c' })
  const signature = await under.upstream.image('team/web', 'sig', { subject: one.descriptor, artifactType: 'a/sig' })
  await under.upstream.image('team/web', 'bom', { subject: one.descriptor, artifactType: 'a/bom' })
  const first = await under.get('/v2/docker.io/team/web/tags/list?n=2')
  assert.deepEqual(first.json(), { name: 'docker.io/team/web', tags: ['a', 'b'] })
  assert.equal(first.headers['link'], '</v2/docker.io/team/web/tags/list?n=2&last=b>; rel="next"')
  const second = await under.get('/v2/docker.io/team/web/tags/list?n=2&last=b')
  assert.deepEqual([second.json<{ tags: string[] }>().tags, second.headers['link']], [['c'], undefined])
  const referrers = `/v2/docker.io/team/web/referrers/${one.digest}`
  const digests = async (query = '') =>
    (await under.get(`${referrers}${query}`)).json<{ manifests: { digest: string }[] }>().manifests.map((m) => m.digest)
  assert.equal((await digests()).length, 2)
  assert.deepEqual(await digests('?artifactType=a/sig'), [signature.digest])
  assert.deepEqual(under.asked().sort(), [`GET team/web/referrers/${one.digest}`, 'GET team/web/tags/list'])
  await under.get('/v2/docker.io/team/web/manifests/b')
  await under.get(`/v2/docker.io/team/web/manifests/${signature.digest}`)
  under.way.add({ last: 99, how: { act: 'answer', status: 500 } })
  under.pass(61_000)
  assert.deepEqual((await under.get('/v2/docker.io/team/web/tags/list')).json<{ tags: string[] }>().tags, ['b'])
  assert.deepEqual(await digests(), [signature.digest])
})

test('an immutable tag stays what it was first, and the operator hears that the upstream has another', async () => {
  await using under = await cached({ tagsFreshFor: HOUR })
  await under.cache.registry.policies.immutable('docker.io/**', 'v*')
  const one = await under.upstream.image('team/web', 'one', { tag: 'v1' })
  await under.get('/v2/docker.io/team/web/manifests/v1')
  const pulled = async () => {
    under.pass(2 * HOUR)
    return (await under.get('/v2/docker.io/team/web/manifests/v1')).headers['docker-content-digest']
  }
  await under.upstream.image('team/web', 'two', { tag: 'v1' })
  assert.equal(await pulled(), one.digest)
  assert.match(under.reports.at(-1)!, /^docker\.io has changed it, but tag v1 of docker\.io\/team\/web is immutable/)
  await under.upstream.request('DELETE', '/v2/team/web/manifests/v1')
  assert.equal(await pulled(), one.digest)
})

test('what nobody pulls for its time is collected, and comes again when somebody does', async () => {
  await using under = await cached({ cacheFor: 24 * HOUR, serve: { lease: 0 } })
  const [image, used] = [
    await under.upstream.image('team/web', 'one', { tag: '1' }),
    await under.upstream.image('team/used', 'two', { tag: '1' }),
  ]
  const pull = async (repository: string, layer: string) => {
    await under.get(`/v2/docker.io/${repository}/manifests/1`)
    await under.get(`/v2/docker.io/${repository}/blobs/${layer}`)
  }
  await pull('team/web', image.layer)
  await pull('team/used', used.layer)
  const collect = () => under.cache.registry.collectGarbage({ grace: 0 })
  under.pass(23 * HOUR)
  assert.deepEqual(await collect().then(({ manifests, blobs }) => [manifests, blobs]), [0, 0])
  await pull('team/used', used.layer)
  under.pass(2 * HOUR)
  assert.deepEqual(await collect().then(({ manifests, blobs }) => [manifests, blobs]), [1, 1])
  under.asked()
  await pull('team/web', image.layer)
  assert.deepEqual(under.asked(), ['GET team/web/manifests/1', `GET team/web/blobs/${image.layer}`])
})
