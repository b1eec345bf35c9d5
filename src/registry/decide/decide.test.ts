/** What is allowed, from facts alone: no database is near. Each judgement within a registry is tested there as well. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Action, Caller } from './index.ts'
import { decide, type TagPolicy } from './index.ts'

const account = { kind: 'user', name: 'ann', admin: false, grants: [{ pattern: 'team/*', role: 'write' as const }] }
const ann: Caller = { account }
const root: Caller = { account: { ...account, name: 'root', admin: true, grants: [] } }
const nobody: Caller = {}
const never = () => assert.fail('this fact is not needed')

test('rights in repositories: own names, grants, limits of tokens, scopes, and what is public', async () => {
  const table: [Caller, Action, string, string][] = [
    [ann, 'delete', 'ann/web', 'allowed'],
    [ann, 'push', 'team/web', 'allowed'],
    [ann, 'delete', 'team/web', 'denied'],
    [ann, 'push', 'team/web/deep', 'denied'],
    [ann, 'pull', 'open/web', 'allowed'],
    [ann, 'push', 'open/web', 'denied'],
    [root, 'delete', 'anything/at/all', 'allowed'],
    [nobody, 'pull', 'open/web', 'allowed'],
    [nobody, 'pull', 'ann/web', 'denied'],
    [{ ...ann, limit: { pattern: 'ann/web', role: 'read' } }, 'pull', 'ann/web', 'allowed'],
    [{ ...ann, limit: { pattern: 'ann/web', role: 'read' } }, 'push', 'ann/web', 'denied'],
    [{ ...root, limit: { pattern: 'ann/web', role: 'admin' } }, 'pull', 'ann/other', 'denied'],
    [{ ...ann, scopes: [] }, 'push', 'ann/web', 'scope'],
    [{ ...ann, scopes: [{ type: 'repository', name: 'ann/web', actions: ['pull'] }] }, 'pull', 'ann/web', 'allowed'],
    [{ ...ann, scopes: [{ type: 'repository', name: 'ann/web', actions: ['pull'] }] }, 'push', 'ann/web', 'scope'],
    // That it would need another token is told to those alone who may.
    [{ ...ann, scopes: [] }, 'push', 'other/web', 'denied'],
    // A team's and a robot's name gives nothing by itself.
    [{ account: { ...account, kind: 'robot', name: 'ann' } }, 'pull', 'ann/web', 'denied'],
  ]
  for (const [caller, action, repository, expected] of table) {
    const facts = { repository, anonymous: 'none' as const, open: async () => ['open/*'] }
    assert.equal(await decide(caller, action, facts), expected, `${action} ${repository}`)
  }
})

test('what is public is looked at for pulls alone that nothing else allows', async () => {
  const facts = { repository: 'ann/web', anonymous: 'none' as const, open: never }
  assert.equal(await decide(ann, 'pull', facts), 'allowed')
  assert.equal(await decide(nobody, 'push', facts), 'denied')
  assert.equal(await decide(nobody, 'push', { ...facts, anonymous: 'push' }), 'allowed')
  assert.equal(await decide(nobody, 'pull', { ...facts, anonymous: 'pull' }), 'allowed')
})

test('a token for a former name is good for the repository', async () => {
  const caller = { ...ann, scopes: [{ type: 'repository', name: 'ann/old', actions: ['pull'] }] }
  const facts = { repository: 'ann/web', anonymous: 'none' as const, open: never }
  assert.equal(await decide(caller, 'pull', facts), 'scope')
  assert.equal(await decide(caller, 'pull', { ...facts, asked: 'ann/old' }), 'allowed')
})

test('administration: below the names a caller answers for, and never by a token that gives less than everything', async () => {
  const administered = async () => ['ann', 'acme']
  const of = (caller: Caller, what: { owner: string } | 'own' | 'self' | 'registry') =>
    decide(caller, 'administer', { what, administered })
  assert.equal(await of(ann, { owner: 'acme' }), 'allowed')
  assert.equal(await of(ann, { owner: 'other' }), 'denied')
  assert.equal(await of(ann, 'registry'), 'denied')
  assert.equal(await of(ann, 'own'), 'allowed')
  assert.equal(await of(nobody, 'self'), 'denied')
  const limited = { ...ann, limit: { pattern: 'ann/*', role: 'admin' as const } }
  assert.equal(await of(limited, 'own'), 'denied')
  assert.equal(await of(limited, 'self'), 'allowed')
  assert.equal(await of({ ...ann, scopes: [] }, 'own'), 'scope')
})

const policies: TagPolicy[] = [
  { id: 1, kind: 'immutable', pattern: 'prod/*', tags: ['v*'], except: ['v0*'] },
  { id: 2, kind: 'keep', pattern: 'prod/*', last: 2, tags: ['stable'] },
  { id: 3, kind: 'types', pattern: 'images/*', allow: [], block: ['application/vnd.evil*'] },
]

test('tags that policies keep where they are, and how long', async () => {
  const retag = async (tag: string, repository = 'prod/web') =>
    (await decide('anyone', 'retag', { repository, tag, policies }))?.code
  assert.equal(await retag('v1'), 'TAG_IMMUTABLE')
  assert.equal(await retag('v0.1'), undefined)
  assert.equal(await retag('v1', 'dev/web'), undefined)
  const expire = (tag: string, place: number, repository = 'prod/web') =>
    decide('anyone', 'expire', { repository, tag, age: 1000, place, policies })
  assert.equal(await expire('nightly', 2), 'kept')
  assert.equal(await expire('nightly', 3), 'removed')
  assert.equal(await expire('stable', 30), 'kept')
  assert.equal(await expire('v1', 30), 'kept', 'immutable tags are not removed')
  assert.equal(await expire('nightly', 30, 'dev/web'), 'kept', 'no policy keeps any')
})

test('what a policy blocks is refused with the policy; a manifest is read for those alone that have policies', async () => {
  const manifest = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    bytes: Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        artifactType: 'application/vnd.evil.v1',
        config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: `sha256:${'0'.repeat(64)}`, size: 2 },
        layers: [],
      }),
    ),
  }
  const refusal = await decide('anyone', 'store', { repository: 'images/a', manifest, policies, chains: never })
  assert.equal(refusal?.code, 'POLICY_VIOLATED')
  assert.match(refusal.message, /policy 3 of images\/\*/)
  const unread = { mediaType: '', bytes: Buffer.from('no manifest') }
  assert.equal(
    await decide('anyone', 'store', { repository: 'b/a', manifest: unread, policies, chains: never }),
    undefined,
  )
})

test('a quota refuses what passes it, and lets through what takes nothing of it', async () => {
  const quota = { scope: 'acme/**', bytes: 1000, tags: 1 }
  const grow = async (growth: object, used: object) =>
    (
      await decide('anyone', 'grow', {
        quota,
        used: { bytes: 0, tags: 0, repositories: 0, ...used },
        growth: { bytes: 0, tags: 0, repositories: 0, ...growth },
      })
    )?.message
  assert.equal(await grow({ bytes: 1000 }, { bytes: 1000 }), undefined)
  assert.match((await grow({ bytes: 1 }, { bytes: 1001 }))!, /quota of acme\/\*\* is 1000B/)
  assert.match((await grow({ tags: 1 }, { tags: 2 }))!, /is 1 tag: 1 tag is used/)
  assert.equal(await grow({ tags: 1 }, { tags: 1, bytes: 5000 }), undefined, 'it adds no bytes')
  assert.equal(await grow({ repositories: 1 }, { repositories: 9 }), undefined, 'which are not limited')
})
