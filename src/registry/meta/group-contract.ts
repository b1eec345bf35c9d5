import assert from 'node:assert/strict'
import type { AccountKind } from './account-meta.ts'
import { type Check, DAY, manifest, NOW } from './kit-contract.ts'
import type { MetaStore } from './meta-store.ts'

export function groupContract(check: Check): void {
  const add = (meta: MetaStore, kind: AccountKind, name: string, owner?: string) =>
    meta.addAccount({ kind, name, owner })
  const rightsOf = async (meta: MetaStore, name: string) =>
    (await meta.findAccount({ name }))!.grants.map(({ pattern, role }) => `${pattern}=${role}`)

  check(
    'members have what their organisation and teams have, and owners everything below it',
    async ({ meta, other }) => {
      for (const name of ['ann', 'bob', 'cat']) await add(meta, 'user', name)
      assert.equal(await add(other, 'organisation', 'acme'), 'added')
      assert.deepEqual(await add(meta, 'user', 'acme'), { taken: 'acme' }, 'names are unique together')
      assert.deepEqual(await add(meta, 'team', 'nobody/web', 'nobody'), { missing: 'nobody' })
      assert.deepEqual(await add(meta, 'team', 'ann/web', 'ann'), { missing: 'ann' }, 'users have no teams')
      assert.equal(await add(meta, 'team', 'acme/web', 'acme'), 'added')
      assert.equal(await add(other, 'robot', 'acme+ci', 'acme'), 'added')
      await meta.setGrant('acme', 'acme/base', 'read')
      await meta.setGrant('acme/web', 'acme/web/**', 'write')
      await meta.setGrant('bob', 'x/y', 'delete')
      assert.equal(await meta.setMember('acme', 'ann', 'owner'), 'set')
      assert.deepEqual(await meta.setMember('acme/web', 'bob', 'member'), { missing: 'bob' }, 'not in the organisation')
      assert.equal(await other.setMember('acme', 'bob', 'member'), 'set')
      assert.equal(await meta.setMember('acme/web', 'bob', 'member'), 'set')
      assert.equal(await meta.setMember('acme/web', 'acme+ci', 'member'), 'set')
      assert.deepEqual(await meta.setMember('acme', 'acme+ci', 'member'), { missing: 'acme+ci' })
      assert.deepEqual(await meta.setMember('acme', 'acme/web', 'member'), { missing: 'acme/web' })
      assert.deepEqual(await meta.setMember('ann', 'bob', 'member'), { missing: 'ann' }, 'a user is no group')
      assert.deepEqual(await rightsOf(other, 'ann'), ['acme/**=admin', 'acme/base=read'])
      assert.deepEqual(await rightsOf(other, 'bob'), ['acme/base=read', 'acme/web/**=write', 'x/y=delete'])
      assert.deepEqual(await rightsOf(other, 'acme+ci'), ['acme/web/**=write'])
      assert.deepEqual(await rightsOf(other, 'cat'), [])
      assert.deepEqual(
        (await meta.listAccounts('user')).map(({ name, grants }) => [name, grants.length]),
        [
          ['ann', 0],
          ['bob', 1],
          ['cat', 0],
        ],
        'a list shows what each has itself',
      )
      assert.deepEqual(await other.listMembers('acme'), [
        { name: 'ann', role: 'owner' },
        { name: 'bob', role: 'member' },
      ])
      assert.equal(await meta.listMembers('ann'), undefined)
      assert.equal(await other.setMember('acme', 'bob', undefined), 'set')
      assert.deepEqual(
        await meta.listMembers('acme/web'),
        [{ name: 'acme+ci', role: 'member' }],
        'bob left its teams, too',
      )
      assert.deepEqual(await rightsOf(meta, 'bob'), ['x/y=delete'])
    },
  )

  check(
    'an organisation goes with its teams, robots and rights, unless it has repositories',
    async ({ meta, other }) => {
      await add(meta, 'user', 'ann')
      for (const name of ['acme', 'acm', 'acmes']) await add(meta, 'organisation', name)
      await add(meta, 'team', 'acme/web', 'acme')
      await add(meta, 'team', 'acmes/web', 'acmes')
      await add(meta, 'robot', 'acme+ci', 'acme')
      await add(meta, 'robot', 'ann+ci', 'ann')
      await meta.setGrant('ann', 'acme/web', 'read')
      await meta.setPublic('acme/**', true)
      await meta.setPublic('acmes/**', true)
      await other.putManifest('acme/web', manifest({ content: 'image', tags: ['one'] }))
      assert.deepEqual(await meta.removeAccount('acme', 'organisation'), { needed: 'acme/web' })
      assert.equal(await meta.removeAccount('acme', 'user'), 'absent', 'it is no user')
      assert.equal(await meta.removeAccount('acm', 'organisation'), 'removed')
      assert.equal((await meta.listAccounts('team')).length, 2)
      await meta.addAccount({ kind: 'organisation', name: 'umbrella' })
      await add(meta, 'team', 'umbrella/web', 'umbrella')
      await add(meta, 'robot', 'umbrella+ci', 'umbrella')
      await meta.setGrant('ann', 'umbrella/web', 'read')
      await meta.setPublic('umbrella/**', true)
      assert.equal(await other.removeAccount('umbrella', 'organisation'), 'removed')
      assert.deepEqual(await rightsOf(meta, 'ann'), ['acme/web=read'])
      assert.deepEqual(await meta.publicPatterns(), ['acme/**', 'acmes/**'])
      const names = async (kind: AccountKind) => (await meta.listAccounts(kind)).map(({ name }) => name)
      assert.deepEqual(await names('team'), ['acme/web', 'acmes/web'])
      assert.deepEqual(await names('robot'), ['acme+ci', 'ann+ci'])
      assert.equal(await meta.removeAccount('ann', 'user'), 'removed')
      assert.deepEqual(await names('robot'), ['acme+ci'], 'robots of a user go with it')
      assert.equal(await add(meta, 'organisation', 'umbrella'), 'added', 'nothing is left below its name')
    },
  )

  check(
    'what is public is a set of patterns, and a name below which something is public is taken',
    async ({ meta, other }) => {
      assert.equal(await meta.setPublic('acme/**', true), true)
      assert.equal(await other.setPublic('acme/**', true), false)
      assert.deepEqual(await other.publicPatterns(), ['acme/**'])
      assert.deepEqual(await add(other, 'user', 'acme'), { taken: 'acme/**' })
      assert.equal(await meta.setPublic('acme/**', false), true)
      assert.equal(await meta.setPublic('acme/**', false), false)
      assert.deepEqual(await other.publicPatterns(), [])
    },
  )

  check(
    'access tokens are found by hash and ID until their end, and note when they are used',
    async ({ meta, other, setTime }) => {
      const [hash, id] = ['a'.repeat(64), 'b'.repeat(32)]
      const token = { id, hash, label: 'ci', role: 'write', pattern: 'ann/*', lifetime: DAY } as const
      assert.equal(await meta.addAccessToken('ann', token), 'missing')
      await add(meta, 'user', 'ann')
      await add(meta, 'organisation', 'acme')
      assert.equal(await meta.addAccessToken('acme', token), 'missing', 'nobody logs in as an organisation')
      assert.equal(await other.addAccessToken('ann', token), 'added')
      assert.equal(await meta.addAccessToken('ann', { ...token, id: 'c'.repeat(32), hash: 'd' }), 'taken')
      const used = (await meta.useAccessToken({ hash }))!
      assert.equal(used.account.name, 'ann')
      const kept = { id, label: 'ci', role: 'write', pattern: 'ann/*', createdAt: NOW, expiresAt: NOW + DAY }
      assert.deepEqual(used.token, { ...kept, usedAt: undefined })
      assert.deepEqual(await other.listAccessTokens('ann'), [{ ...kept, usedAt: NOW }])
      assert.equal(await other.listAccessTokens('acme'), undefined)
      await setTime(NOW + 1000)
      await other.useAccessToken({ id })
      assert.equal((await meta.listAccessTokens('ann'))?.[0]?.usedAt, NOW, 'to the hour')
      await setTime(NOW + 3_600_000)
      await other.useAccessToken({ id })
      assert.equal((await meta.listAccessTokens('ann'))?.[0]?.usedAt, NOW + 3_600_000)
      await setTime(NOW + DAY)
      assert.equal(await meta.useAccessToken({ hash }), undefined)
      assert.equal(await meta.useAccessToken({ id }), undefined)
      assert.equal((await meta.listAccessTokens('ann'))?.length, 1, 'it is shown that it ended')
      assert.equal(await meta.removeAccessToken('ann', 'ci'), true)
      assert.equal(await meta.removeAccessToken('ann', 'ci'), false)
      await meta.addAccessToken('ann', { ...token, lifetime: undefined })
      assert.equal((await meta.useAccessToken({ hash }))?.token.expiresAt, undefined)
      await meta.removeAccount('ann', 'user')
      await add(meta, 'user', 'ann')
      assert.equal(await meta.useAccessToken({ hash }), undefined, 'it went with its account')
    },
  )

  check('the repositories shown are those of some pattern and of the one that limits them', async ({ meta }) => {
    for (const name of ['acme/api', 'acme/web', 'acme/web/x', 'bob/web']) {
      await meta.putManifest(name, manifest({ content: name, tags: ['one'] }))
    }
    const shown = (within: string[] | undefined, only?: string) => meta.listRepositories({ limit: 9, within, only })
    assert.deepEqual(await shown(['acme/**', 'bob/web'], '*/web'), ['acme/web', 'bob/web'])
    assert.deepEqual(await shown(['acme/*'], 'bob/**'), [])
    assert.deepEqual(await shown(undefined, 'acme/web'), ['acme/web'])
    assert.deepEqual(await shown(['acme/api'], 'acme/web'), [])
  })
}
