import assert from 'node:assert/strict'
import type { DistributionClient } from './client.ts'
import type { DataSet, Manifest } from './data-set.ts'
import type { Answer } from './exchange.ts'
import { expectContent, expectCreated, expectHeader, locationOf } from './expect.ts'
import { pushByPostAndPut } from './pushes.ts'
import { ACCEPTING, type SetCheck, withBlobs, withSubject, withTags } from './set-check.ts'

export const pushChecks: SetCheck[] = [
  {
    name: 'push: each blob is at the Location of the answer',
    source: 'POST then PUT',
    about: withBlobs,
    async run(client, { set, repository }) {
      for (const blob of set.blobs) {
        const { answer } = await pushByPostAndPut(client, repository, () => blob)
        expectCreated(answer, blob)
        expectContent(await client.request('GET', locationOf(answer)), blob)
      }
    },
  },
  {
    name: 'push: each manifest is at the Location of the answer to a push by digest',
    source: 'Pushing Manifests',
    about: ({ tagParameters }) => !tagParameters,
    async run(client, { set, repository }) {
      for (const manifest of set.manifests) await pushManifest(client, repository, manifest, manifest.digest)
    },
  },
  {
    name: 'push: tags are parameters of a push by digest, and OCI-Tag names them',
    source: 'Pushing Manifests',
    about: ({ tagParameters }) => tagParameters,
    async run(client, { set, repository }) {
      for (const manifest of set.manifests) {
        const tags = tagsOf(set, manifest)
        const query = tags.map((tag) => `tag=${tag}`).join('&')
        const answer = await pushManifest(client, repository, manifest, `${manifest.digest}?${query}`)
        const named = String(answer.headers['oci-tag']).split(/\s*,\s*/)
        assert.deepEqual(new Set(named), new Set(tags))
      }
    },
  },
  {
    name: 'push: each manifest is at the Location of the answer to a push by tag',
    source: 'Pushing Manifests',
    about: (set) => withTags(set) && !set.tagParameters,
    async run(client, { set, repository }) {
      for (const [tag, manifest] of set.tags) await pushManifest(client, repository, manifest, tag)
    },
  },
  {
    name: 'push: OCI-Subject names the subject',
    source: 'Pushing Manifests with Subject',
    about: withSubject,
    async run(client, { set, repository }) {
      for (const manifest of set.manifests) {
        if (!manifest.subject) continue
        const answer = await putManifest(client, repository, manifest, manifest.digest)
        expectHeader(answer, 'OCI-Subject', manifest.subject.digest)
      }
    },
  },
]

/** The manifest is at the Location of the answer, byte by byte. */
async function pushManifest(
  client: DistributionClient,
  repository: string,
  manifest: Manifest,
  reference: string,
): Promise<Answer> {
  const answer = await putManifest(client, repository, manifest, reference)
  expectCreated(answer, manifest)
  expectContent(await client.request('GET', locationOf(answer), ACCEPTING), manifest)
  return answer
}

export async function putManifest(
  client: DistributionClient,
  repository: string,
  { mediaType, bytes }: Manifest,
  reference: string,
): Promise<Answer> {
  const headers = { 'Content-Type': mediaType }
  return await client.request('PUT', `/v2/${repository}/manifests/${reference}`, { headers, body: bytes })
}

function tagsOf(set: DataSet, manifest: Manifest): string[] {
  return [...set.tags].filter(([, tagged]) => tagged === manifest).map(([tag]) => tag)
}
