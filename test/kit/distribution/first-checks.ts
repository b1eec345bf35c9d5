import assert from 'node:assert/strict'
import { type CheckGroup, checkGroup } from './check.ts'
import { randomBlob } from './content.ts'
import { expectStatus, jsonOf } from './expect.ts'
import { listReferrers } from './listings.ts'

/** What a registry says before anything is pushed. */
export function firstGroups(namespace: string): CheckGroup[] {
  return [
    checkGroup('ping', undefined, [
      {
        name: 'the registry says that it is one',
        source: 'Determining Support',
        async run(client) {
          expectStatus(await client.request('GET', '/v2/'), 200)
        },
      },
    ]),
    checkGroup('empty', { repository: `${namespace}/empty` }, [
      {
        name: 'tag list: there are no tags, or there is no repository',
        source: 'Listing Tags',
        async run(client, { repository }) {
          const answer = await client.request('GET', `/v2/${repository}/tags/list`)
          expectStatus(answer, 200, 404)
          if (answer.status === 200) assert.deepEqual(jsonOf<{ tags: unknown }>(answer).tags ?? [], [])
        },
      },
      {
        name: 'referrers: a digest that nothing refers to has an empty index, never 404',
        source: 'Listing Referrers',
        async run(client, { repository }) {
          assert.deepEqual(await listReferrers(client, repository, randomBlob().digest), [])
        },
      },
    ]),
  ]
}
