import assert from 'node:assert/strict'
import type { DataSet, Descriptor } from './data-set.ts'
import { listReferrers, listTags, listTagsInPages } from './listings.ts'
import { type SetCheck, withSubject, withTags } from './set-check.ts'

const TAGS = 'Listing Tags'
const REFERRERS = 'Listing Referrers'

export const listingChecks: SetCheck[] = [
  {
    name: 'tag list: all tags are listed, in order',
    source: TAGS,
    about: withTags,
    async run(client, { set, repository }) {
      const { tags } = await listTags(client, repository, `/v2/${repository}/tags/list`)
      assert.deepEqual(tags, inOrderOf(tags, set))
    },
  },
  {
    name: 'tag list: n is the size of a page, from which Link or last leads to the next',
    source: TAGS,
    about: withTags,
    async run(client, { set, repository }) {
      for (const n of [1, 2]) {
        const tags = await listTagsInPages(client, repository, n)
        assert.deepEqual(tags, inOrderOf(tags, set))
      }
    },
  },
  {
    name: 'tag list: n=0 gives no tags and no Link',
    source: TAGS,
    about: withTags,
    async run(client, { repository }) {
      const found = await listTags(client, repository, `/v2/${repository}/tags/list?n=0`)
      assert.deepEqual(found, { tags: [], next: undefined })
    },
  },
  {
    name: 'tag list: last leaves out what comes before',
    source: TAGS,
    about: withTags,
    async run(client, { repository }) {
      const path = `/v2/${repository}/tags/list`
      const { tags } = await listTags(client, repository, path)
      for (const [index, last] of tags.entries()) {
        assert.deepEqual((await listTags(client, repository, `${path}?last=${last}`)).tags, tags.slice(index + 1))
      }
    },
  },
  {
    name: 'referrers: each is listed with its type and annotations',
    source: REFERRERS,
    about: withSubject,
    async run(client, { set, repository }) {
      for (const [subject, expected] of referrersOf(set)) {
        assert.deepEqual(sorted(await listReferrers(client, repository, subject)), sorted(expected))
      }
    },
  },
  {
    name: 'referrers: artifactType leaves out the others, and OCI-Filters-Applied says so',
    source: REFERRERS,
    about: withSubject,
    async run(client, { set, repository }) {
      for (const [subject, all] of referrersOf(set)) {
        for (const type of [...new Set(all.map(({ artifactType }) => artifactType)), 'application/vnd.example.none']) {
          if (type === undefined) continue
          const expected = all.filter(({ artifactType }) => artifactType === type)
          assert.deepEqual(sorted(await listReferrers(client, repository, subject, type)), sorted(expected))
        }
      }
    },
  },
]

/** The set's tags in the order of the bytes, or, where the registry prefers that, regardless of case. */
function inOrderOf(found: readonly string[], { tags }: DataSet): string[] {
  const bytes = [...tags.keys()].sort()
  const lexical = bytes.toSorted((one, other) => compare(one.toLowerCase(), other.toLowerCase()))
  return found.join() === lexical.join() ? lexical : bytes
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** By the subject's digest. */
function referrersOf({ manifests }: DataSet): Map<string, Descriptor[]> {
  const found = new Map<string, Descriptor[]>()
  for (const { subject, asReferrer } of manifests) {
    if (subject) found.set(subject.digest, [...(found.get(subject.digest) ?? []), asReferrer])
  }
  return found
}

/** A registry lists referrers in any order; what else it says of them is its own business. */
function sorted(descriptors: readonly Descriptor[]): Descriptor[] {
  return descriptors
    .map(({ mediaType, digest, size, artifactType, annotations }) => ({
      mediaType,
      digest,
      size,
      artifactType,
      annotations,
    }))
    .sort((one, other) => compare(one.digest, other.digest))
}
