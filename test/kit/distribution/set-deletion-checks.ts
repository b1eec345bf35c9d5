import assert from 'node:assert/strict'
import { expectCreated, expectDeleted, expectStatus } from './expect.ts'
import { listReferrers, listTags } from './listings.ts'
import { ACCEPTING, everySet, type SetCheck, withBlobs, withSubject, withTags } from './set-check.ts'
import { putManifest } from './set-push-checks.ts'

export const deletionChecks: SetCheck[] = [
  {
    name: 'delete: tags are gone at once, also from the list, and what they named stays',
    source: 'Deleting tags',
    about: withTags,
    async run(client, { set, repository }) {
      const left = new Set(set.tags.keys())
      for (const tag of set.tags.keys()) {
        await expectDeleted(client, `/v2/${repository}/manifests/${tag}`)
        left.delete(tag)
        const { tags } = await listTags(client, repository, `/v2/${repository}/tags/list`)
        assert.deepEqual(new Set(tags), left)
      }
      for (const { digest } of set.manifests) {
        expectStatus(await client.request('HEAD', `/v2/${repository}/manifests/${digest}`, ACCEPTING), 200)
      }
    },
  },
  {
    name: 'delete: manifests are gone at once, and their tags with them',
    source: 'Deleting Manifests',
    about: everySet,
    async run(client, { set, repository }) {
      const last = set.manifests.at(-1)!
      // By tag, a manifest gets the digest of the usual algorithm.
      const tagged = set.algorithm === 'sha256' ? `/v2/${repository}/manifests/once-more` : undefined
      if (tagged) expectCreated(await putManifest(client, repository, last, 'once-more'), last)
      for (const { digest } of set.manifests.toReversed()) {
        await expectDeleted(client, `/v2/${repository}/manifests/${digest}`)
      }
      if (tagged) expectStatus(await client.request('HEAD', tagged, ACCEPTING), 404)
    },
  },
  {
    name: 'delete: referrers are gone with their manifests',
    source: 'Listing Referrers',
    about: withSubject,
    async run(client, { set, repository }) {
      for (const { subject } of set.manifests) {
        if (subject) assert.deepEqual(await listReferrers(client, repository, subject.digest), [])
      }
    },
  },
  {
    name: 'delete: blobs are gone at once',
    source: 'Deleting Blobs',
    about: withBlobs,
    async run(client, { set, repository }) {
      for (const { digest } of set.blobs) await expectDeleted(client, `/v2/${repository}/blobs/${digest}`)
    },
  },
]
