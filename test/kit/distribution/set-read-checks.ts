import { expectContent } from './expect.ts'
import { ACCEPTING, everySet, type SetCheck, withBlobs, withTags } from './set-check.ts'

interface Reading {
  verb: string
  method: string
  /** What is seen of each thing. */
  seen: string
  sources: { manifests: string; blobs: string }
}

const EXISTENCE = 'Checking if content exists in the registry'

const READINGS: Reading[] = [
  {
    verb: 'head',
    method: 'HEAD',
    seen: 'announced with digest, size and type',
    sources: { manifests: EXISTENCE, blobs: EXISTENCE },
  },
  {
    verb: 'pull',
    method: 'GET',
    seen: 'given as it was pushed',
    sources: { manifests: 'Pulling manifests', blobs: 'Pulling blobs' },
  },
]

export const readChecks: SetCheck[] = READINGS.flatMap(({ verb, method, seen, sources }): SetCheck[] => [
  {
    name: `${verb}: each manifest is ${seen}, by tag`,
    source: sources.manifests,
    about: withTags,
    async run(client, { set, repository }) {
      for (const [tag, manifest] of set.tags) {
        expectContent(await client.request(method, `/v2/${repository}/manifests/${tag}`, ACCEPTING), manifest)
      }
    },
  },
  {
    name: `${verb}: each manifest is ${seen}, by digest`,
    source: sources.manifests,
    about: everySet,
    async run(client, { set, repository }) {
      for (const manifest of set.manifests) {
        const path = `/v2/${repository}/manifests/${manifest.digest}`
        expectContent(await client.request(method, path, ACCEPTING), manifest)
      }
    },
  },
  {
    name: `${verb}: each blob is ${seen}`,
    source: sources.blobs,
    about: withBlobs,
    async run(client, { set, repository }) {
      for (const blob of set.blobs) {
        expectContent(await client.request(method, `/v2/${repository}/blobs/${blob.digest}`), blob)
      }
    },
  },
])
