import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { planServer } from '../../../test/kit/planned-server.ts'
import type { EarlierCopy } from './earlier-copy.ts'
import { createFetcher } from './fetcher.ts'

const CONTENT = 'the whole content'
const DATE = 'Tue, 14 Nov 2023 22:13:20 GMT'

async function fetched(url: string, earlier: EarlierCopy) {
  await using web = createFetcher({})
  const { body, outcome, etag, lastModified } = await web.get(url, { earlier })
  return { text: Buffer.concat(await Array.fromAsync(body)).toString(), outcome, etag, lastModified }
}

/** A server that knows validators and ranges, and takes a weak tag for a strong one. */
function wellBehaved() {
  return planServer(({ headers }, response) => {
    const validators = { etag: '"v2"', 'last-modified': DATE }
    if (headers['if-none-match'] === '"v2"' || headers['if-modified-since'] === DATE)
      return response.writeHead(304, { ...validators, 'content-length': CONTENT.length }).end()
    const range = /^bytes=(\d+)-$/.exec(headers.range ?? '')
    if (!range || !String(headers['if-range']).endsWith('"v2"')) return response.writeHead(200, validators).end(CONTENT)
    const start = Number(range[1])
    if (start >= CONTENT.length) return response.writeHead(416).end()
    return response
      .writeHead(206, { ...validators, 'content-range': `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}` })
      .end(CONTENT.slice(start))
  })
}

for (const [title, earlier, expected] of [
  [
    'a complete copy that is still the same is not sent again',
    { bytes: 17, complete: true, etag: '"v2"' },
    ['unchanged', ''],
  ],
  ['the date serves where there is no tag', { bytes: 17, complete: true, lastModified: DATE }, ['unchanged', '']],
  ['a complete copy of another state is replaced', { bytes: 17, complete: true, etag: '"v1"' }, ['whole', CONTENT]],
  ['a copy that was cut is continued', { bytes: 4, complete: false, etag: '"v2"' }, ['rest', CONTENT.slice(4)]],
  [
    'a copy that was cut, of another state, is replaced',
    { bytes: 4, complete: false, etag: '"v1"' },
    ['whole', CONTENT],
  ],
  ['a weak tag proves nothing about bytes', { bytes: 4, complete: false, etag: 'W/"v2"' }, ['whole', CONTENT]],
  [
    'a copy that has all bytes already is fetched again',
    { bytes: 17, complete: false, etag: '"v2"' },
    ['whole', CONTENT],
  ],
  ['without a copy all is fetched', { bytes: 0, complete: false }, ['whole', CONTENT]],
] as const) {
  test(title, async () => {
    await using server = await wellBehaved()
    const { outcome, text, etag, lastModified } = await fetched(server.url, earlier)
    assert.deepEqual([outcome, text, etag, lastModified], [...expected, '"v2"', DATE])
    assert.equal(server.seen[0]?.headers['accept-encoding'], 'identity')
    // Only where nothing is left to send does it take a second question.
    assert.equal(server.seen.length, earlier.bytes === CONTENT.length && !earlier.complete ? 2 : 1)
  })
}

for (const [title, headers] of [
  ['another range', { 'content-range': 'bytes 0-16/17' }],
  ['no range', {}],
  ['another state', { 'content-range': 'bytes 4-16/17', etag: '"v3"' }],
  ['an encoding', { 'content-range': 'bytes 4-16/17', 'content-encoding': 'gzip' }],
] as const) {
  test(`a part that does not belong to the copy is not used: ${title}`, async () => {
    await using server = await planServer(({ headers: asked }, response) => {
      if (!asked.range) return response.end(CONTENT)
      const body = 'content-encoding' in headers ? gzipSync('x') : 'wrong'
      return response.writeHead(206, headers).end(body)
    })
    const { outcome, text } = await fetched(server.url, { bytes: 4, complete: false, etag: '"v2"' })
    assert.deepEqual([outcome, text], ['whole', CONTENT])
  })
}

test('a server that answers "unchanged" or "no such range" to everything is an error, not an endless loop', async () => {
  for (const status of [304, 416]) {
    await using server = await planServer((_request, response) => response.writeHead(status).end())
    await assert.rejects(fetched(server.url, { bytes: 4, complete: false, etag: '"v2"' }), {
      code: 'DOWNLOAD_FAILED',
      details: { status },
    })
    assert.equal(server.seen.length, 2)
  }
})
