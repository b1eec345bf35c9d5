import assert from 'node:assert/strict'
import { type Check, type CheckGroup, checkGroup } from './check.ts'
import { randomBlob } from './content.ts'
import { addImage, type DataSet, dataSet, randomText } from './data-set.ts'
import { codesOf, expectRefusal, expectStatus } from './expect.ts'
import { pushByPostAndPut } from './pushes.ts'
import { ACCEPTING } from './set-check.ts'
import { putManifest } from './set-push-checks.ts'

interface ErrorData {
  repository: string
  /** Nobody ever pushes to it. */
  nowhere: string
  /** An image; the checks push its blobs, never its manifest as it is. */
  set: DataSet
}

export function errorGroups(namespace: string): CheckGroup[] {
  const data = {
    repository: `${namespace}/errors`,
    nowhere: `${namespace}/nowhere`,
    set: dataSet('errors', (set) => addImage(set)),
  }
  return [checkGroup('errors', data, checks)]
}

const BAD_DIGEST = 'sha256:baddigeststring'

const checks: Check<ErrorData>[] = [
  {
    name: 'bad-digest-image: a manifest of another digest is 400, and there is no manifest',
    source: 'conformance',
    async run(client, { repository, set }) {
      for (const blob of set.blobs) expectStatus((await pushByPostAndPut(client, repository, () => blob)).answer, 201)
      const manifest = set.manifests[0]!
      const longer = { ...manifest, bytes: Buffer.concat([manifest.bytes, Buffer.from('  ')]) }
      expectRefusal(await putManifest(client, repository, longer, manifest.digest), 400)
      const path = `/v2/${repository}/manifests/${manifest.digest}`
      expectRefusal(await client.request('GET', path, ACCEPTING), 404)
    },
  },
  {
    name: 'missing-blobs: a manifest without its blobs is taken, or refused as MANIFEST_BLOB_UNKNOWN',
    source: 'Push',
    async run(client, { repository }) {
      const manifest = dataSet('without blobs', (set) => addImage(set)).manifests[0]!
      const answer = await putManifest(client, repository, manifest, manifest.digest)
      if (answer.status === 201) return
      expectRefusal(answer, 400, 404)
      assert.ok(codesOf(answer).includes('MANIFEST_BLOB_UNKNOWN'), `${answer.request}: ${answer.body}`)
    },
  },
  {
    name: 'missing-manifest: one that was never pushed is 404, by digest and by tag',
    source: 'Pulling manifests',
    async run(client, { repository }) {
      for (const reference of [randomBlob().digest, `missing-${randomText()}`]) {
        for (const method of ['GET', 'HEAD']) {
          expectRefusal(await client.request(method, `/v2/${repository}/manifests/${reference}`, ACCEPTING), 404)
        }
      }
    },
  },
  {
    name: 'missing-repository: pulling from it and deleting in it are 404',
    source: 'Pushing Manifests, Deleting Manifests',
    async run(client, { nowhere }) {
      const path = `/v2/${nowhere}/manifests/${randomBlob().digest}`
      for (const method of ['GET', 'DELETE']) expectRefusal(await client.request(method, path, ACCEPTING), 404)
    },
  },
  {
    name: 'invalid-digest-format: a manifest is not pushed under it',
    source: 'conformance',
    async run(client, { repository, set }) {
      expectRefusal(await putManifest(client, repository, set.manifests[0]!, BAD_DIGEST), 400)
    },
  },
  {
    name: 'invalid-digest-format: no manifest is found by it',
    source: 'conformance',
    async run(client, { repository }) {
      expectRefusal(await client.request('GET', `/v2/${repository}/manifests/${BAD_DIGEST}`, ACCEPTING), 400, 404)
    },
  },
  {
    name: 'invalid-digest-format: a blob is not pushed under it, nor under an unknown algorithm',
    source: 'Pushing blobs',
    async run(client, { repository }) {
      for (const query of [`digest=${BAD_DIGEST}`, `digest=none:${'0'.repeat(64)}`, 'digest-algorithm=none']) {
        expectRefusal(await client.request('POST', `/v2/${repository}/blobs/uploads/?${query}`), 400)
      }
    },
  },
  {
    name: 'invalid-digest-format: there are no referrers to ask for',
    source: 'Listing Referrers',
    async run(client, { repository }) {
      expectRefusal(await client.request('GET', `/v2/${repository}/referrers/${BAD_DIGEST}`), 400)
    },
  },
]
