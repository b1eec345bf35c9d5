import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { isBaleError } from '#base'
import { digestOf } from '#blob'
import { type Descriptor, MediaType } from '#spec'
import { noCredentials } from '#transport/credentials'
import { type Handler, planServer, type SeenRequest } from '../../../test/kit/planned-server.ts'
import { openRepository } from './open-repository.ts'
import type { Repository } from './repository.ts'

const limits = { firstDelay: 1, longestDelay: 2, attempts: 2 }
const config = { mediaType: MediaType.ociConfig, digest: digestOf('{}'), size: 2 }
const image = { schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers: [] }
const bytes = Buffer.from(JSON.stringify(image))

async function withRepository<T>(
  handler: Handler,
  work: (repository: Repository, seen: readonly SeenRequest[]) => Promise<T>,
): Promise<T> {
  await using server = await planServer(handler)
  await using repository = openRepository(
    { registry: server.host, repository: 'team/web' },
    { credentials: noCredentials, limits },
  )
  return await work(repository, server.seen)
}

const answering =
  (body: string | Buffer, headers: Record<string, string> = {}, status = 200): Handler =>
  (_request, response) =>
    response.writeHead(status, headers).end(body)

const resolve = (handler: Handler, name = '1') => withRepository(handler, (repository) => repository.resolve(name))

test('a tag is resolved to the bytes that came and their descriptor, in one request', async () => {
  await withRepository(answering(bytes, { 'content-type': MediaType.ociManifest }), async (repository, seen) => {
    const { descriptor, bytes: came } = await repository.resolve('1')
    assert.deepEqual(descriptor, { mediaType: MediaType.ociManifest, digest: digestOf(bytes), size: bytes.length })
    assert.ok(bytes.equals(came))
    assert.equal(seen.length, 1)
    assert.match(seen[0]!.path, /^\/v2\/team\/web\/manifests\/1$/)
    for (const type of [MediaType.ociIndex, MediaType.ociManifest, MediaType.dockerIndex, MediaType.dockerManifest]) {
      assert.ok(seen[0]!.headers.accept!.includes(type))
    }
  })
})

test('C09 a tag that moves during a pull changes nothing: all is asked for by the first digest', async () => {
  const children = ['one', 'two'].map((name) => Buffer.from(JSON.stringify({ ...image, annotations: { name } })))
  const indexOf = (child: Buffer): Buffer =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MediaType.ociIndex,
        manifests: [{ mediaType: MediaType.ociManifest, digest: digestOf(child), size: child.length }],
      }),
    )
  let turn = 0
  const handler: Handler = ({ path }, response) => {
    const name = path.split('/').at(-1)!
    if (name === '1') return response.end(indexOf(children[turn++ % 2]!))
    return response.end(children.find((child) => digestOf(child) === name))
  }
  await withRepository(handler, async (repository, seen) => {
    const index = await repository.resolve('1')
    const [child] = (JSON.parse(Buffer.from(index.bytes).toString()) as { manifests: Descriptor[] }).manifests
    assert.ok(children[0]!.equals(await repository.manifest(child!)))
    assert.equal(seen.filter(({ path }) => path.endsWith('/1')).length, 1)
  })
})

test('C09 another manifest under the digest asked for is refused', async () => {
  await assert.rejects(resolve(answering(bytes), digestOf('else')), { code: 'DIGEST_MISMATCH' })
})

test('M01 a digest header that does not fit the bytes is refused', async () => {
  await assert.rejects(resolve(answering(bytes, { 'docker-content-digest': digestOf('else') })), {
    code: 'DIGEST_MISMATCH',
  })
  const { descriptor } = await resolve(answering(bytes, { 'docker-content-digest': digestOf(bytes, 'sha512') }))
  assert.equal(descriptor.digest, digestOf(bytes, 'sha512'))
})

test('M02 a body of another type than its Content-Type, or than its descriptor, is refused', async () => {
  await assert.rejects(resolve(answering(bytes, { 'content-type': MediaType.ociIndex })), { code: 'INVALID_MANIFEST' })
  const both = JSON.stringify({ ...image, manifests: [] })
  await assert.rejects(resolve(answering(both)), { code: 'INVALID_MANIFEST' })
  await withRepository(answering(bytes, { 'content-type': MediaType.ociManifest }), async (repository) => {
    const descriptor = { mediaType: MediaType.ociIndex, digest: digestOf(bytes), size: bytes.length }
    await assert.rejects(repository.manifest(descriptor), { code: 'INVALID_MANIFEST' })
    await assert.rejects(repository.manifest({ ...descriptor, mediaType: MediaType.ociManifest, size: 1 }), {
      code: 'SIZE_MISMATCH',
    })
  })
})

test('M04 a manifest beyond 4 MiB is refused, announced or not', async () => {
  const large = Buffer.alloc(5 << 20, ' ')
  await assert.rejects(resolve(answering(large)), { code: 'LIMIT_EXCEEDED' })
  await assert.rejects(
    resolve((_request, response) => {
      response.write(large)
      response.end()
    }),
    { code: 'LIMIT_EXCEEDED' },
  )
})

test('a tag that is not there is MANIFEST_NOT_FOUND, in docker’s words', async () => {
  const body = '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"1"}}]}'
  await assert.rejects(resolve(answering(body, {}, 404)), (error) => {
    assert.ok(isBaleError(error, 'MANIFEST_NOT_FOUND'))
    assert.match(error.message, /^manifest for localhost:\d+\/team\/web:1 not found: manifest unknown$/)
    return true
  })
})

test('an HTML page instead of a registry is named as such, with 200 and with 404', async () => {
  for (const [status, type] of [
    [200, 'text/html; charset=utf-8'],
    [404, 'text/html'],
    [200, 'application/json'],
    [503, 'text/html'],
  ] as const) {
    await assert.rejects(resolve(answering('<!doctype html><title>hello</title>', { 'content-type': type }, status)), {
      code: 'REGISTRY_FAILED',
      message: /HTML page .*is it really a registry/,
    })
  }
})

test('garbage that is no manifest is INVALID_MANIFEST', async () => {
  for (const body of ['', 'hello', '[]', '{}', '{"schemaVersion":2}']) {
    await assert.rejects(resolve(answering(body)), { code: 'INVALID_MANIFEST' }, body)
  }
})

test('C11 an error body is escaped and cut, however large', async () => {
  const body = JSON.stringify({ errors: [{ code: 'DENIED', message: `\u001b[2Jgone${'x'.repeat(5000)}` }] })
  await assert.rejects(resolve(answering(body, {}, 403)), (error) => {
    assert.ok(isBaleError(error, 'DENIED'))
    assert.match(error.message, /\\x1b\[2Jgone/)
    assert.ok(error.message.length < 800)
    return true
  })
  const endless: Handler = (_request, response) => {
    response.writeHead(400)
    const more = () => {
      if (!response.destroyed) response.write(Buffer.alloc(65_536, 'a'), () => setImmediate(more))
    }
    more()
  }
  await assert.rejects(resolve(endless), { code: 'REGISTRY_REFUSED' })
})

test('tags come page by page from the own origin', async () => {
  const handler: Handler = ({ path }, response) => {
    if (path.includes('last=b')) return response.end('{"name":"x","tags":["c","../evil",7]}')
    return response
      .writeHead(200, { link: '</v2/team/web/tags/list?n=2&last=b>; rel="next"' })
      .end('{"tags":["a","b"]}')
  }
  await withRepository(handler, async (repository) => {
    assert.deepEqual(await Array.fromAsync(repository.tags()), ['a', 'b', 'c'])
  })
  await withRepository(answering('{"tags":null}'), async (repository) => {
    assert.deepEqual(await Array.fromAsync(repository.tags()), [])
  })
})

test('a manifest that comes compressed unasked is decoded, within the bound; a header over plain JSON says nothing', async () => {
  const text = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] })
  const encodings: [string, Uint8Array][] = [
    ['gzip', gzipSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['deflate', deflateSync(text)],
    ['gzip', Buffer.from(text)],
  ]
  for (const [encoding, bytes] of encodings) {
    const handler: Handler = (_request, response) =>
      response
        .writeHead(200, {
          'content-encoding': encoding,
          'docker-content-digest': digestOf(text),
          'content-type': 'text/plain; charset=utf-8',
        })
        .end(bytes)
    await withRepository(handler, async (repository) => {
      const { descriptor: found } = await repository.resolve('1')
      assert.deepEqual([found.digest, found.mediaType], [digestOf(text), MediaType.ociIndex])
    })
  }
  const bomb: Handler = (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000, ' ')))
  await withRepository(bomb, async (repository) => {
    await assert.rejects(repository.resolve('1'), { code: 'LIMIT_EXCEEDED' })
  })
})

test('a list of tags may be one answer of megabytes, or a thousand pages; a page may be empty, and its address absolute', async () => {
  const many = Array.from({ length: 80_000 }, (_, index) => `build-${String(index).padStart(18, '0')}`)
  await withRepository(answering(JSON.stringify({ tags: many })), async (repository) => {
    assert.equal((await Array.fromAsync(repository.tags())).length, 80_000)
  })
  const pages: Handler = ({ path }, response) => {
    const page = Number(new URL(path, 'http://x').searchParams.get('p') ?? 0)
    const tags = page === 7 ? [] : [`t${page}`, `t${page}`]
    // As a registry behind a proxy names itself.
    const link = { link: `<http://registry.inner:5000/v2/team/web/tags/list?p=${page + 1}>; rel=next` }
    return response.writeHead(200, page < 1_199 ? link : {}).end(JSON.stringify({ tags }))
  }
  await withRepository(pages, async (repository) => {
    assert.equal((await Array.fromAsync(repository.tags())).length, 1_199)
  })
})

const hostileLinks: [string, (turn: number) => string, RegExp][] = [
  ['on another host, again and again', () => '<http://localhost:9/v2/x>; rel="next"', /never ends/],
  ['of the same page', () => '</v2/team/web/tags/list>; rel="next"', /never ends/],
  ['without end', (turn) => `</v2/team/web/tags/list?last=${turn}>; rel="next"`, /never ends/],
]
for (const [name, link, message] of hostileLinks) {
  test(`C06 a next page ${name} is refused`, async () => {
    await using server = await planServer((_request, response, seen) =>
      response.writeHead(200, { link: link(seen.length) }).end('{"tags":["a"]}'),
    )
    await using repository = openRepository(
      { registry: server.host, repository: 'team/web' },
      { credentials: noCredentials, limits: { ...limits, tagPages: 20 } },
    )
    await assert.rejects(Array.fromAsync(repository.tags()), message)
    assert.ok(server.seen.length <= 20)
  })
}

test('referrers come from the API, else from the fallback tag, else there are none', async () => {
  const subject = digestOf('subject')
  const entry = { mediaType: MediaType.ociManifest, digest: digestOf('r'), size: 1, artifactType: 'a/sbom' }
  const index = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [entry] })
  const api: Handler = ({ path }, response) =>
    path.includes('/referrers/')
      ? response.writeHead(200, { 'content-type': MediaType.ociIndex }).end(index)
      : response.writeHead(404).end()
  const tag: Handler = ({ path }, response) =>
    path.endsWith(`/manifests/sha256-${subject.slice(7)}`) ? response.end(index) : response.writeHead(404).end()
  for (const handler of [api, tag]) {
    await withRepository(handler, async (repository) => {
      assert.deepEqual(await repository.referrers(subject), [entry])
      assert.deepEqual(await repository.referrers(subject, { artifactType: 'a/other' }), [])
    })
  }
  await withRepository(answering('', {}, 404), async (repository) => {
    assert.deepEqual(await repository.referrers(subject), [])
  })
})

test('referrers are collected from all pages; a page that fails or repeats is an error, not the end', async () => {
  const subject = digestOf('subject')
  const entry = (name: string) => ({ mediaType: MediaType.ociManifest, digest: digestOf(name), size: 1 })
  const page = (name: string) =>
    JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [entry(name)] })
  const inPages =
    (last: (response: Parameters<Handler>[1]) => unknown): Handler =>
    ({ path }, response) => {
      if (path.includes('page=2')) return last(response)
      const link = `</v2/team/web/referrers/${subject}?page=2>; rel="next"`
      return response.writeHead(200, { 'content-type': MediaType.ociIndex, link }).end(page('a'))
    }
  const whole = inPages((response) => response.writeHead(200, { 'content-type': MediaType.ociIndex }).end(page('b')))
  await withRepository(whole, async (repository) => {
    assert.deepEqual(await repository.referrers(subject), [entry('a'), entry('b')])
  })
  await withRepository(
    inPages((response) => response.writeHead(404).end()),
    async (repository) => {
      await assert.rejects(repository.referrers(subject))
    },
  )
  const circle: Handler = (_, response) => {
    const link = `</v2/team/web/referrers/${subject}>; rel="next"`
    return response.writeHead(200, { 'content-type': MediaType.ociIndex, link }).end(page('a'))
  }
  await withRepository(circle, async (repository) => {
    await assert.rejects(repository.referrers(subject), { code: 'REGISTRY_FAILED' })
  })
})

test('more than ten thousand referrers are refused, over all pages', async () => {
  const subject = digestOf('subject')
  const entry = { mediaType: MediaType.ociManifest, digest: digestOf('a'), size: 1 }
  const listing =
    (last: number): Handler =>
    ({ path }, response) => {
      const isLast = path.endsWith('?page=2')
      const manifests = Array.from({ length: isLast ? last : 9_999 }, () => entry)
      const link = isLast ? '' : `</v2/team/web/referrers/${subject}?page=2>; rel="next"`
      const body = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests })
      return response.writeHead(200, { 'content-type': MediaType.ociIndex, link }).end(body)
    }
  await withRepository(listing(1), async (repository) => {
    assert.equal((await repository.referrers(subject)).length, 10_000)
  })
  await withRepository(listing(2), async (repository) => {
    await assert.rejects(repository.referrers(subject), { code: 'LIMIT_EXCEEDED' })
  })
})
