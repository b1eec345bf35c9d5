import { type Check, type CheckGroup, checkGroup } from './check.ts'
import type { DistributionClient } from './client.ts'
import { ALGORITHMS, type Algorithm, type Blob, blobOf, damagedBlob, randomBlob } from './content.ts'
import { expectContent, expectCreated, expectDeleted, expectRefusal, expectStatus, locationOf } from './expect.ts'
import { beginUpload, finishUpload, PUSH_STYLES, type Pushed, pushAsStream, pushByPostAndPut } from './pushes.ts'
import { rangeChecks } from './range-checks.ts'

export interface BlobData {
  algorithm: Algorithm
  repository: string
  /** Another repository, to mount from. */
  other: string
}

export function blobGroups(namespace: string): CheckGroup[] {
  return ALGORITHMS.map((algorithm) => {
    const data = {
      algorithm,
      repository: `${namespace}/blobs-${algorithm}`,
      other: `${namespace}/mounted-${algorithm}`,
    }
    return checkGroup(`blobs ${algorithm}`, data, [
      missing,
      ...styles,
      namedAlgorithm,
      ...mounts,
      mountMissing,
      cancel,
      ...rangeChecks,
      ...wellKnown,
      ...damage,
    ])
  })
}

const pathOf = (repository: string, { digest }: Blob) => `/v2/${repository}/blobs/${digest}`

const missing: Check<BlobData> = {
  name: 'get-missing: a blob that was never pushed is 404, also for DELETE',
  source: 'Pulling blobs',
  async run(client, { repository, algorithm }) {
    const path = pathOf(repository, randomBlob(algorithm))
    for (const method of ['GET', 'HEAD', 'DELETE']) expectRefusal(await client.request(method, path), 404)
  },
}

const styles: Check<BlobData>[] = PUSH_STYLES.map(({ name, source, push }) => ({
  name: `${name}: the blob is at the Location of the answer, by HEAD and by GET, until it is deleted`,
  source,
  async run(client, { repository, algorithm }) {
    const pushed = await push(client, repository, (size) => randomBlob(algorithm, size))
    await expectWholeLife(client, repository, pushed)
  },
}))

const namedAlgorithm: Check<BlobData> = {
  name: 'digest-algorithm: the algorithm may be named when the upload begins',
  source: 'Pushing a blob in chunks',
  async run(client, { repository, algorithm }) {
    const push = pushAsStream(`?digest-algorithm=${algorithm}`)
    await expectWholeLife(client, repository, await push(client, repository, () => randomBlob(algorithm)))
  },
}

const mounts: Check<BlobData>[] = [
  { name: 'mount: a blob of another repository is mounted without its bytes', from: true },
  { name: 'mount anonymous: a blob is mounted from wherever it is', from: false },
].map(({ name, from }) => ({
  name,
  source: 'Mounting a blob from another repository',
  async run(client, { repository, other, algorithm }) {
    const { blob, answer } = await pushByPostAndPut(client, other, () => randomBlob(algorithm))
    expectCreated(answer, blob)
    const path = `/v2/${repository}/blobs/uploads/?mount=${blob.digest}${from ? `&from=${other}` : ''}`
    await expectWholeLife(client, repository, { blob, answer: await client.request('POST', path) })
    await expectDeleted(client, pathOf(other, blob))
  },
}))

const mountMissing: Check<BlobData> = {
  name: 'mount missing: an upload begins where there is nothing to mount',
  source: 'Mounting a blob from another repository',
  async run(client, { repository, other, algorithm }) {
    const blob = randomBlob(algorithm)
    const { location } = await beginUpload(client, repository, `?mount=${blob.digest}&from=${other}`)
    await expectWholeLife(client, repository, { blob, answer: await finishUpload(client, location, blob) })
  },
}

const cancel: Check<BlobData> = {
  name: 'post cancel: a cancelled upload is gone',
  source: 'Cancel a blob upload',
  async run(client, { repository }) {
    const { location } = await beginUpload(client, repository)
    expectStatus(await client.request('DELETE', location, { headers: { 'Content-Length': 0 } }), 204)
    expectRefusal(await client.request('GET', location), 404)
  },
}

const wellKnown: Check<BlobData>[] = [
  { name: 'empty: a blob without bytes is like any other', text: '' },
  { name: 'emptyJSON: the blob {} is like any other', text: '{}' },
].map(({ name, text }) => ({
  name,
  source: 'Pushing blobs',
  async run(client, { repository, algorithm }) {
    const pushed = await pushByPostAndPut(client, repository, () => blobOf(text, algorithm))
    await expectWholeLife(client, repository, pushed)
  },
}))

const damage: Check<BlobData>[] = PUSH_STYLES.filter(({ disorder }) => !disorder).map(({ name, push }) => ({
  name: `bad digest ${name}: bytes of another digest are 400, and there is no blob`,
  source: 'Pushing blobs',
  async run(client, { repository, algorithm }) {
    const { blob, answer } = await push(client, repository, (size) => damagedBlob(algorithm, size))
    expectRefusal(answer, 400)
    expectStatus(await client.request('HEAD', pathOf(repository, blob)), 404)
  },
}))

async function expectWholeLife(
  client: DistributionClient,
  repository: string,
  { blob, answer }: Pushed,
): Promise<void> {
  expectCreated(answer, blob)
  expectContent(await client.request('GET', locationOf(answer)), blob)
  const path = pathOf(repository, blob)
  expectContent(await client.request('HEAD', path), blob)
  expectContent(await client.request('GET', path), blob)
  await expectDeleted(client, path)
}
