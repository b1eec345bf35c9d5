import assert from 'node:assert/strict'
import type { DistributionClient } from './client.ts'
import type { Descriptor } from './data-set.ts'
import type { Answer } from './exchange.ts'
import { expectHeader, expectStatus, jsonOf, nextPage } from './expect.ts'
import { Media } from './media-types.ts'

/** More pages than any check needs: a list that never ends fails. */
const PAGES = 50

/** All descriptors that a registry lists for a subject, over its pages. With a filter, each page says that it is applied. */
export async function listReferrers(
  client: DistributionClient,
  repository: string,
  digest: string,
  artifactType?: string,
): Promise<Descriptor[]> {
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`
  const found: Descriptor[] = []
  let target: URL | string | undefined = `/v2/${repository}/referrers/${digest}${query}`
  for (let page = 0; target !== undefined; page++) {
    assert.ok(page < PAGES, `${target}: the list does not end`)
    const answer = await client.request('GET', target)
    found.push(...descriptorsIn(answer))
    if (artifactType !== undefined) expectFilter(answer)
    target = nextPage(answer)
  }
  return found
}

function descriptorsIn(answer: Answer): Descriptor[] {
  expectStatus(answer, 200)
  expectHeader(answer, 'Content-Type', Media.index)
  const { schemaVersion, mediaType, manifests } = jsonOf<{
    schemaVersion: number
    mediaType: string
    manifests: Descriptor[]
  }>(answer)
  assert.deepEqual([schemaVersion, mediaType], [2, Media.index])
  return manifests
}

function expectFilter({ request, headers }: Answer): void {
  const filters = String(headers['oci-filters-applied'] ?? '').split(/\s*,\s*/)
  assert.ok(filters.includes('artifactType'), `${request}: OCI-Filters-Applied is ${filters}`)
}

/** One answer to a request for tags, with its parameters as they are. */
export async function listTags(
  client: DistributionClient,
  repository: string,
  target: URL | string,
): Promise<{ tags: string[]; next: URL | undefined }> {
  const answer = await client.request('GET', target)
  expectStatus(answer, 200)
  const { name, tags } = jsonOf<{ name: string; tags: string[] | null }>(answer)
  assert.equal(name, repository)
  return { tags: tags ?? [], next: nextPage(answer) }
}

/**
 * All tags, in pages of `n`. A page that links to no next one must be full or the last; after a full one `last` asks
 * whether there is more.
 */
export async function listTagsInPages(client: DistributionClient, repository: string, n: number): Promise<string[]> {
  const path = `/v2/${repository}/tags/list?n=${n}`
  const found: string[] = []
  let target: URL | string | undefined = path
  for (let page = 0; target !== undefined; page++) {
    assert.ok(page < PAGES, `${target}: the list does not end`)
    const { tags, next } = await listTags(client, repository, target)
    assert.ok(tags.length <= n, `${target}: ${tags.length} tags`)
    found.push(...tags)
    target = next ?? (tags.length === n ? `${path}&last=${encodeURIComponent(tags.at(-1)!)}` : undefined)
  }
  return found
}
