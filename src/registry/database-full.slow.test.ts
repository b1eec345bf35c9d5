/** What clients are answered while the disk of a registry's PostgreSQL is full, and what is there afterwards. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { startPostgres, withoutPostgres } from '../../test/kit/postgres.ts'
import { type Answer, clientOf, MANIFEST_TYPE } from '../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import { until } from '../../test/kit/until.ts'
import { openPostgresMeta } from './meta/index.ts'
import { createFileObjects } from './objects/index.ts'
import { openRegistry } from './registry.ts'
import { listenWith } from './serve.ts'

const PATIENT = 1000

test('a full disk of the database: no 500, no answered push that is missing, and pushes again when there is room', {
  skip: withoutPostgres(),
}, async () => {
  await using postgres = await startPostgres({ disk: 64 })
  await using place = await temporaryDirectory('bale-full')
  const meta = await openPostgresMeta({ url: await postgres.database(), patience: PATIENT })
  const registry = await openRegistry(
    { meta, objects: createFileObjects(join(place.path, 'objects')), secret: randomBytes(32) },
    { anonymous: 'push' },
  )
  await using served = await listenWith(registry, { port: 0 })
  const client = clientOf(served.address)
  const pushed: { tag: string; bytes: Buffer }[] = []
  const refused: Answer[] = []
  const push = async (number: number) => {
    // Random, so that the database cannot make it small.
    const annotations = { random: randomBytes(300_000).toString('base64') }
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers: [], annotations }),
    )
    const tag = `t${number}`
    const headers = { 'Content-Type': MANIFEST_TYPE }
    const answer = await client.request('PUT', `/v2/a/b/manifests/${tag}`, { headers, body: bytes })
    if (answer.status === 201) pushed.push({ tag, bytes })
    else refused.push(answer)
    return answer.status === 201
  }
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: await client.blob('a/b', '{}'),
    size: 2,
  }
  for (let number = 0; refused.length < 12 && number < 1000; number++) await push(number)
  assert.ok(pushed.length > 5, 'some went well before')
  assert.equal(refused.length, 12)
  // Other requests than pushes, too; some of them write.
  const others = [
    await client.request('HEAD', `/v2/a/b/blobs/${config.digest}`),
    await client.request('POST', '/v2/a/b/blobs/uploads/'),
    await client.request('DELETE', `/v2/a/b/tags/none`),
    await client.request('GET', '/v2/a/b/tags/list'),
    await client.request('GET', '/token'),
  ]
  for (const { status, headers, body } of [...refused, ...others]) {
    assert.ok(status < 500 || status === 503 || status === 507, `${status} ${body}`)
    if (status === 503) assert.ok(headers['retry-after'], 'a retry may help, and it says when')
  }
  await postgres.resizeDisk(256)
  // It may have given up by itself, when there was no room for its log.
  if (!postgres.isRunning()) await postgres.start()
  await until('a push goes well', () => push(1000 + refused.length))
  for (const { tag, bytes } of pushed) {
    const { status, body } = await client.request('GET', `/v2/a/b/manifests/${tag}`)
    assert.equal(status, 200, tag)
    assert.ok(body.equals(bytes), tag)
  }
})
