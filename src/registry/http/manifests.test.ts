/** Written from distribution-spec 1.1: manifests, tags, referrers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  INDEX_TYPE,
  MANIFEST_TYPE,
  sha256,
  sha512,
  startRegistry,
  type TestRegistry,
} from '../../../test/kit/registry-client.ts'

const put = (registry: TestRegistry, path: string, document: unknown, type: string | undefined = MANIFEST_TYPE) =>
  registry.request('PUT', path, {
    headers: type === undefined ? {} : { 'Content-Type': type },
    body: typeof document === 'string' ? document : JSON.stringify(document),
  })

const indexOf = (manifests: unknown[], more: object = {}) => ({
  schemaVersion: 2,
  mediaType: INDEX_TYPE,
  manifests,
  ...more,
})

test('a manifest is pushed by tag, and read by tag and digest with the bytes and type it was pushed with', async () => {
  await using registry = await startRegistry()
  const { digest, bytes, answer } = await registry.image('a/b', 'one', { tag: 'v1.0' })
  assert.deepEqual([answer.status, answer.headers['docker-content-digest']], [201, digest])
  assert.equal(answer.headers.location, `/v2/a/b/manifests/${digest}`)
  for (const reference of ['v1.0', digest]) {
    const read = await registry.request('GET', `/v2/a/b/manifests/${reference}`)
    assert.equal(read.status, 200)
    assert.deepEqual([read.headers['content-type'], read.headers['docker-content-digest']], [MANIFEST_TYPE, digest])
    assert.deepEqual(read.body, bytes)
    const head = await registry.request('HEAD', `/v2/a/b/manifests/${reference}`)
    assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, `${bytes.length}`, 0])
    const same = await registry.request('GET', `/v2/a/b/manifests/${reference}`, {
      headers: { 'If-None-Match': `"${digest}"` },
    })
    assert.equal(same.status, 304)
  }
})

test('every byte comes back, of manifests small and large', async () => {
  await using registry = await startRegistry()
  // Of one byte in Latin-1, of two to four in UTF-8, and what HTTP's own lines end with.
  const odd = 'é€𝄞\u00a0\u2028 \\u0000 \\r\\n'
  for (const times of [1, 300, 20_000]) {
    const { digest, bytes } = await registry.image('a/b', 'one', { annotations: { note: odd.repeat(times) } })
    const read = await registry.request('GET', `/v2/a/b/manifests/${digest}`)
    assert.deepEqual([read.headers['content-length'], sha256(read.body)], [`${bytes.length}`, digest])
  }
})

test('a missing manifest, tag or repository is 404 MANIFEST_UNKNOWN; a malformed reference is 400', async () => {
  await using registry = await startRegistry()
  await registry.image('a/b', 'one', { tag: '1' })
  for (const path of ['/v2/a/b/manifests/2', `/v2/a/b/manifests/${sha256('x')}`, '/v2/no/such/manifests/1']) {
    const answer = await registry.request('GET', path)
    assert.deepEqual([answer.status, answer.codes()], [404, ['MANIFEST_UNKNOWN']], path)
    assert.equal((await registry.request('HEAD', path)).status, 404)
    assert.equal((await registry.request('DELETE', path)).status, 404)
  }
  for (const reference of ['sha256:abc', '-x', 'x'.repeat(129), 'a%20b', '.hidden']) {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      assert.equal((await registry.request(method, `/v2/a/b/manifests/${reference}`)).status, 400, reference)
    }
  }
})

test('a manifest pushed by sha512 has that digest', async () => {
  await using registry = await startRegistry()
  const { bytes } = await registry.image('a/b', 'one')
  const digest = sha512(bytes)
  const answer = await put(registry, `/v2/a/b/manifests/${digest}`, bytes.toString())
  assert.deepEqual([answer.status, answer.headers['docker-content-digest']], [201, digest])
  assert.deepEqual((await registry.request('GET', `/v2/a/b/manifests/${digest}`)).body, bytes)
})

test('a push by digest may set several tags', async () => {
  await using registry = await startRegistry()
  const { digest, bytes } = await registry.image('a/b', 'one')
  const answer = await put(registry, `/v2/a/b/manifests/${digest}?tag=x&tag=y`, bytes.toString())
  assert.deepEqual([answer.status, answer.headers['oci-tag']], [201, 'x, y'])
  assert.deepEqual((await registry.request('GET', '/v2/a/b/tags/list')).json()['tags'], ['x', 'y'])
  assert.equal((await put(registry, `/v2/a/b/manifests/${digest}?tag=../x`, bytes.toString())).status, 400)
})

test('M01: a manifest that does not have the digest of its address is 400 DIGEST_INVALID', async () => {
  await using registry = await startRegistry()
  const { bytes } = await registry.image('a/b', 'one')
  const answer = await put(registry, `/v2/a/b/manifests/${sha256('other')}`, bytes.toString())
  assert.deepEqual([answer.status, answer.codes()], [400, ['DIGEST_INVALID']])
})

test('a manifest whose blobs or children are not in this repository is 404 MANIFEST_BLOB_UNKNOWN and leaves nothing', async () => {
  await using registry = await startRegistry()
  const { bytes, descriptor, config } = await registry.image('a/b', 'one')
  const elsewhere = await put(registry, '/v2/c/d/manifests/1', bytes.toString())
  assert.deepEqual([elsewhere.status, elsewhere.codes()], [404, ['MANIFEST_BLOB_UNKNOWN']])
  assert.equal(elsewhere.json<{ errors: { detail: { digest: string } }[] }>().errors[0]!.detail.digest, config)
  assert.equal((await put(registry, '/v2/c/d/manifests/1', indexOf([descriptor]), INDEX_TYPE)).status, 404)
  assert.equal((await registry.request('GET', '/v2/c/d/tags/list')).status, 404)
})

test('SIZE: a manifest that gives a blob another size is refused', async () => {
  await using registry = await startRegistry()
  const { bytes } = await registry.image('a/b', 'one')
  const document = JSON.parse(bytes.toString())
  document.layers[0].size++
  const answer = await put(registry, '/v2/a/b/manifests/1', document)
  assert.deepEqual([answer.status, answer.codes()], [400, ['SIZE_INVALID']])
})

test('layers that may not be distributed, custom members and data members are taken as they are', async () => {
  await using registry = await startRegistry()
  const { bytes } = await registry.image('a/b', 'one')
  const document = JSON.parse(bytes.toString())
  document.layers.push({
    mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    digest: sha256('elsewhere'),
    size: 123456,
    urls: ['http://169.254.169.254/latest/meta-data'],
  })
  document['org.example.custom'] = { deep: [1, 2, 3] }
  document.config.data = Buffer.from('x').toString('base64')
  assert.equal((await put(registry, '/v2/a/b/manifests/odd', document)).status, 201)
  assert.deepEqual((await registry.request('GET', '/v2/a/b/manifests/odd')).json(), document)
})

test('docker schema 2 manifests and lists are taken; schema 1 is not', async () => {
  await using registry = await startRegistry()
  const { bytes } = await registry.image('a/b', 'one')
  const document = JSON.parse(bytes.toString())
  const type = 'application/vnd.docker.distribution.manifest.v2+json'
  document.mediaType = type
  document.config.mediaType = 'application/vnd.docker.container.image.v1+json'
  document.layers[0].mediaType = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
  const pushed = await put(registry, '/v2/a/b/manifests/docker', document, type)
  assert.equal(pushed.status, 201)
  assert.equal((await registry.request('GET', '/v2/a/b/manifests/docker')).headers['content-type'], type)
  const listType = 'application/vnd.docker.distribution.manifest.list.v2+json'
  const child = {
    mediaType: type,
    digest: pushed.headers['docker-content-digest'],
    size: JSON.stringify(document).length,
    platform: { os: 'linux', architecture: 'amd64' },
  }
  assert.equal(
    (
      await put(
        registry,
        '/v2/a/b/manifests/list',
        { schemaVersion: 2, mediaType: listType, manifests: [child] },
        listType,
      )
    ).status,
    201,
  )
  assert.equal(
    (
      await put(
        registry,
        '/v2/a/b/manifests/old',
        { schemaVersion: 1, name: 'a/b' },
        'application/vnd.docker.distribution.manifest.v1+json',
      )
    ).status,
    400,
  )
})

test('indexes: of images, nested, empty, and of plain blobs as build caches have them', async () => {
  await using registry = await startRegistry()
  const { descriptor, layer } = await registry.image('a/b', 'one')
  const inner = await put(
    registry,
    '/v2/a/b/manifests/inner',
    indexOf([{ ...descriptor, platform: { os: 'linux', architecture: 'arm64' } }]),
    INDEX_TYPE,
  )
  assert.equal(inner.status, 201)
  const innerSize = Number((await registry.request('HEAD', '/v2/a/b/manifests/inner')).headers['content-length'])
  const nested = indexOf([{ mediaType: INDEX_TYPE, digest: inner.headers['docker-content-digest'], size: innerSize }])
  assert.equal((await put(registry, '/v2/a/b/manifests/outer', nested, INDEX_TYPE)).status, 201)
  assert.equal((await put(registry, '/v2/a/b/manifests/empty', indexOf([]), INDEX_TYPE)).status, 201)
  const cache = (digest: string) =>
    indexOf([{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 'layer of one'.length }])
  assert.equal((await put(registry, '/v2/a/b/manifests/cache', cache(layer), INDEX_TYPE)).status, 201)
  assert.equal((await put(registry, '/v2/a/b/manifests/cache2', cache(sha256('no')), INDEX_TYPE)).status, 404)
})

test('an index with an odd platform is taken as it is; one with an entry that cannot be looked for is refused', async () => {
  await using registry = await startRegistry()
  const { descriptor } = await registry.image('a/b', 'one')
  for (const platform of [{ os: '', architecture: 'arm' }, { os: 'linux', architecture: 'weird / arch' }, null]) {
    const index = indexOf([{ ...descriptor, platform }, descriptor])
    assert.equal((await put(registry, '/v2/a/b/manifests/odd', index, INDEX_TYPE)).status, 201)
    const read = await registry.request('GET', '/v2/a/b/manifests/odd')
    assert.deepEqual(read.json(), index)
  }
  for (const entry of [{ ...descriptor, digest: 'blake3:00' }, { ...descriptor, size: -1 }, null]) {
    const answer = await put(registry, '/v2/a/b/manifests/bad', indexOf([descriptor, entry]), INDEX_TYPE)
    assert.deepEqual([answer.status, answer.codes()], [400, ['MANIFEST_INVALID']])
  }
})

test('M02: documents that could be read in two ways, or differ from their Content-Type, are 400 MANIFEST_INVALID', async () => {
  await using registry = await startRegistry()
  const { bytes } = await registry.image('a/b', 'one')
  const document = JSON.parse(bytes.toString())
  const cases: [unknown, string | undefined][] = [
    [{ ...document, manifests: [] }, MANIFEST_TYPE],
    [{ ...document, mediaType: INDEX_TYPE }, MANIFEST_TYPE],
    [document, INDEX_TYPE],
    [document, 'application/json'],
    [document, 'text/html'],
    [{ ...document, mediaType: 'text/html' }, undefined],
    [{ ...document, schemaVersion: 3 }, MANIFEST_TYPE],
    [{ ...document, layers: undefined }, MANIFEST_TYPE],
    [[], MANIFEST_TYPE],
  ]
  for (const [index, [body, type]] of cases.entries()) {
    const answer = await put(registry, '/v2/a/b/manifests/1', body, type)
    assert.deepEqual([answer.status, answer.codes()], [400, ['MANIFEST_INVALID']], `case ${index}`)
  }
  assert.equal((await put(registry, '/v2/a/b/manifests/1', document, `${MANIFEST_TYPE}; charset=utf-8`)).status, 201)
})

test('M03: duplicate keys, a byte-order mark, trailing data and what is no JSON are 400 MANIFEST_INVALID', async () => {
  await using registry = await startRegistry()
  const text = (await registry.image('a/b', 'one')).bytes.toString()
  const cases = [
    text.replace('{', '{"layers":[],'),
    `\ufeff${text}`,
    `${text}{}`,
    text.slice(0, -1),
    '',
    'null',
    text.replace('"config"', '"con\\u0066ig":1,"config"'),
  ]
  for (const body of cases) {
    const answer = await put(registry, '/v2/a/b/manifests/1', body)
    assert.deepEqual([answer.status, answer.codes()], [400, ['MANIFEST_INVALID']], body.slice(0, 60))
  }
})

test('M04: a manifest of nearly 4 MiB is taken, a larger one is 413, with and without Content-Length', async () => {
  await using registry = await startRegistry()
  const document = JSON.parse((await registry.image('a/b', 'one')).bytes.toString())
  assert.equal(
    (await put(registry, '/v2/a/b/manifests/big', { ...document, annotations: { a: 'x'.repeat(4_190_000) } })).status,
    201,
  )
  const body = JSON.stringify({ ...document, annotations: { a: 'x'.repeat(4_200_000) } })
  assert.equal((await put(registry, '/v2/a/b/manifests/big', body)).status, 413)
  const headers = { 'Content-Type': MANIFEST_TYPE, 'Transfer-Encoding': 'chunked' }
  assert.equal((await registry.request('PUT', '/v2/a/b/manifests/big', { headers, body })).status, 413)
})

test('tags are listed in byte order, in pages that link to the next', async () => {
  await using registry = await startRegistry()
  for (const tag of ['b', 'a', 'B', 'a.1', 'a-1', '10', '9']) await registry.image('a/b', 'one', { tag })
  const all = await registry.request('GET', '/v2/a/b/tags/list')
  const sorted = ['10', '9', 'B', 'a', 'a-1', 'a.1', 'b']
  assert.deepEqual(all.json(), { name: 'a/b', tags: sorted })
  const seen: string[] = []
  let next: string | undefined = '/v2/a/b/tags/list?n=3'
  for (let page = 0; next !== undefined && page < 10; page++) {
    const answer = await registry.request('GET', next)
    seen.push(...answer.json<{ tags: string[] }>().tags)
    next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1]
  }
  assert.deepEqual(seen, sorted)
  assert.deepEqual((await registry.request('GET', '/v2/a/b/tags/list?last=a&n=1')).json()['tags'], ['a-1'])
  const none = await registry.request('GET', '/v2/a/b/tags/list?n=0')
  assert.deepEqual([none.json()['tags'], none.headers.link], [[], undefined])
  const unknown = await registry.request('GET', '/v2/no/such/tags/list')
  assert.deepEqual([unknown.status, unknown.codes()], [404, ['NAME_UNKNOWN']])
})

test('A03: n that is no whole number is 400, a huge n is clamped, for tags and catalog', async () => {
  await using registry = await startRegistry()
  await registry.image('a/b', 'one', { tag: '1' })
  for (const path of ['/v2/a/b/tags/list', '/v2/_catalog']) {
    for (const n of ['-1', '1e3', 'x', '0x10', '1.5', '9'.repeat(30)]) {
      assert.equal((await registry.request('GET', `${path}?n=${n}`)).status, 400, `${path} ${n}`)
    }
    assert.equal((await registry.request('GET', `${path}?n=1000000000`)).status, 200)
  }
})

test('a tag moves to the last push; deleting a tag keeps the manifest, deleting the manifest takes its tags', async () => {
  await using registry = await startRegistry()
  const one = await registry.image('a/b', 'one', { tag: 'latest' })
  const two = await registry.image('a/b', 'two', { tag: 'latest' })
  await registry.image('a/b', 'two', { tag: 'other' })
  assert.equal(
    (await registry.request('HEAD', '/v2/a/b/manifests/latest')).headers['docker-content-digest'],
    two.digest,
  )
  assert.equal((await registry.request('HEAD', `/v2/a/b/manifests/${one.digest}`)).status, 200)
  assert.equal((await registry.request('DELETE', '/v2/a/b/manifests/latest')).status, 202)
  assert.equal((await registry.request('HEAD', '/v2/a/b/manifests/latest')).status, 404)
  assert.equal((await registry.request('HEAD', `/v2/a/b/manifests/${two.digest}`)).status, 200)
  assert.equal((await registry.request('DELETE', `/v2/a/b/manifests/${two.digest}`)).status, 202)
  assert.equal((await registry.request('HEAD', '/v2/a/b/manifests/other')).status, 404)
  assert.deepEqual((await registry.request('GET', '/v2/a/b/tags/list')).json()['tags'], [])
})

interface Referrers {
  manifests: {
    digest: string
    artifactType?: string
    annotations?: Record<string, string>
    size: number
    mediaType: string
  }[]
}

test('referrers: what has a subject is listed with type and annotations, also before the subject is there', async () => {
  await using registry = await startRegistry()
  const subject = { mediaType: MANIFEST_TYPE, digest: sha256('not pushed yet'), size: 14 }
  const empty = await registry.request('GET', `/v2/a/b/referrers/${subject.digest}`)
  assert.deepEqual([empty.status, empty.headers['content-type']], [200, INDEX_TYPE])
  assert.deepEqual(empty.json(), { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [] })
  const sbom = await registry.image('a/b', 'sbom', {
    subject,
    artifactType: 'application/x.sbom',
    annotations: { by: 'me' },
  })
  const signature = await registry.image('a/b', 'signature', { subject, tag: 'sig' })
  assert.equal(sbom.answer.headers['oci-subject'], subject.digest)
  const index = await put(
    registry,
    '/v2/a/b/manifests/i',
    indexOf([], { subject, artifactType: 'application/x.index' }),
    INDEX_TYPE,
  )
  assert.equal(index.headers['oci-subject'], subject.digest)
  const listed = (await registry.request('GET', `/v2/a/b/referrers/${subject.digest}`)).json<Referrers>().manifests
  assert.deepEqual(
    new Set(listed.map((one) => one.artifactType)),
    new Set(['application/x.sbom', 'application/vnd.oci.image.config.v1+json', 'application/x.index']),
  )
  const entry = listed.find((one) => one.digest === sbom.digest)
  assert.deepEqual(entry, {
    mediaType: MANIFEST_TYPE,
    digest: sbom.digest,
    size: sbom.bytes.length,
    artifactType: 'application/x.sbom',
    annotations: { by: 'me' },
  })
  const filtered = await registry.request(
    'GET',
    `/v2/a/b/referrers/${subject.digest}?artifactType=${encodeURIComponent('application/x.sbom')}`,
  )
  assert.equal(filtered.headers['oci-filters-applied'], 'artifactType')
  assert.deepEqual(
    filtered.json<Referrers>().manifests.map((one) => one.digest),
    [sbom.digest],
  )
  assert.equal((await registry.request('DELETE', `/v2/a/b/manifests/${signature.digest}`)).status, 202)
  assert.equal(
    (await registry.request('GET', `/v2/a/b/referrers/${subject.digest}`)).json<Referrers>().manifests.length,
    2,
  )
  assert.equal((await registry.request('GET', '/v2/a/b/referrers/sha256:x')).status, 400)
  assert.equal((await registry.request('GET', '/v2/a/b/referrers/latest')).status, 400)
})

test('A18: referrers come in pages bounded in number and bytes, filters kept, quotes in a filter harmless', async () => {
  await using registry = await startRegistry()
  const subject = { mediaType: MANIFEST_TYPE, digest: sha256('subject'), size: 7 }
  const pushed = new Set<string>()
  for (let count = 0; count < 5; count++) {
    const image = await registry.image('a/b', `referrer ${count}`, {
      subject,
      artifactType: 'application/x.a',
      annotations: { big: 'x'.repeat(1_000_000) },
    })
    pushed.add(image.digest)
  }
  const seen = new Set<string>()
  let pages = 0
  let next: string | undefined = `/v2/a/b/referrers/${subject.digest}?artifactType=application/x.a`
  for (; next !== undefined && pages < 10; pages++) {
    const answer = await registry.request('GET', next)
    assert.ok(answer.body.length < 4 * 1024 * 1024)
    for (const one of answer.json<Referrers>().manifests) seen.add(one.digest)
    next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1]
  }
  assert.deepEqual([seen, pages], [pushed, 2])
  const odd = await registry.request(
    'GET',
    `/v2/a/b/referrers/${subject.digest}?artifactType=${encodeURIComponent("x' OR '1'='1")}`,
  )
  assert.deepEqual(odd.json<Referrers>().manifests, [])
})

test('the catalog lists repositories in pages', async () => {
  await using registry = await startRegistry()
  for (const name of ['c/d', 'a/b', 'b']) await registry.blob(name, name)
  assert.deepEqual((await registry.request('GET', '/v2/_catalog')).json(), { repositories: ['a/b', 'b', 'c/d'] })
  const page = await registry.request('GET', '/v2/_catalog?n=2')
  assert.deepEqual(page.json()['repositories'], ['a/b', 'b'])
  assert.equal(page.headers.link, '</v2/_catalog?n=2&last=b>; rel="next"')
  const last = await registry.request('GET', '/v2/_catalog?n=2&last=b')
  assert.deepEqual([last.json()['repositories'], last.headers.link], [['c/d'], undefined])
})
