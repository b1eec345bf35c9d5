import assert from 'node:assert/strict'
import type { AccountKind } from './account-meta.ts'
import type { AuditEntry, AuditFilter } from './audit.ts'
import { type Check, DAY, manifest, NOW, push } from './kit-contract.ts'
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
      assert.deepEqual(await meta.memberships('ann'), [{ group: 'acme', role: 'owner' }])
      assert.deepEqual(await other.memberships('bob'), [
        { group: 'acme', role: 'member' },
        { group: 'acme/web', role: 'member' },
      ])
      assert.deepEqual(await meta.memberships('nobody'), [])
      assert.equal(await meta.setAdmin('cat', true), true)
      assert.equal((await other.findAccount({ name: 'cat' }))?.admin, true)
      assert.equal(await other.setAdmin('cat', false), true)
      assert.equal((await meta.findAccount({ name: 'cat' }))?.admin, false)
      for (const name of ['nobody', 'acme', 'acme+ci']) assert.equal(await meta.setAdmin(name, true), false, name)
      assert.equal(await other.setMember('acme', 'bob', undefined), 'set')
      assert.deepEqual(
        await meta.listMembers('acme/web'),
        [{ name: 'acme+ci', role: 'member' }],
        'bob left its teams, too',
      )
      assert.deepEqual(await rightsOf(meta, 'bob'), ['x/y=delete'])
    },
  )

  check('an organisation comes with its owner, and a robot with its rights and token, or not at all', async (under) => {
    const { meta, other } = under
    const changes = async () => (await meta.listAudit({ limit: 99 })).map(({ action, target }) => `${action} ${target}`)
    await add(meta, 'user', 'ann')
    const acme = { kind: 'organisation', name: 'acme' } as const
    for (const firstOwner of ['nobody', 'acme']) {
      assert.deepEqual(await meta.addAccount({ ...acme, firstOwner }), { missing: firstOwner })
    }
    assert.equal(await other.findAccount({ name: 'acme' }), undefined)
    assert.equal(await meta.addAccount({ ...acme, firstOwner: 'ann' }), 'added')
    assert.deepEqual(await other.listMembers('acme'), [{ name: 'ann', role: 'owner' }])
    assert.deepEqual(await meta.addAccount({ ...acme, firstOwner: 'ann' }), { taken: 'acme' })
    const [grants, token] = [
      [{ pattern: 'acme/**', role: 'write' }],
      { id: 'a'.repeat(32), hash: 'a'.repeat(64), label: 'first', role: 'admin', pattern: '**' },
    ] as const
    const robot = { kind: 'robot', name: 'acme+ci', owner: 'acme', grants, token } as const
    await meta.addAccessToken('ann', { ...token, label: 'another of the same ID' })
    const before = await changes()
    await assert.rejects(other.addAccount(robot))
    assert.equal(await meta.findAccount({ name: 'acme+ci' }), undefined, 'its token could not be made')
    assert.deepEqual(await changes(), before)
    await meta.removeAccessToken('ann', 'another of the same ID')
    assert.equal(await other.addAccount(robot), 'added')
    assert.deepEqual(await rightsOf(meta, 'acme+ci'), ['acme/**=write'])
    assert.equal((await meta.useAccessToken({ id: token.id }))?.account.name, 'acme+ci')
    assert.deepEqual((await changes()).slice(0, 3), ['token.add acme+ci', 'grant.set acme+ci', 'robot.add acme+ci'])
  })

  check('accounts are listed in pages, all of a kind or what belongs to one', async ({ meta, other }) => {
    for (const name of ['acme', 'acme-x', 'acmes', 'ann', 'b.c']) await add(meta, 'user', name)
    for (const name of ['acme+ci', 'acme+cd', 'acme-x+ci', 'acmes+ci']) {
      await add(meta, 'robot', name, name.split('+')[0])
    }
    await meta.setGrant('acme', 'x/a', 'read')
    await meta.setGrant('acme', 'x/b', 'read')
    const list = async (...args: Parameters<MetaStore['listAccounts']>) =>
      (await other.listAccounts(...args)).map(({ name, grants }) =>
        grants.length > 0 ? `${name}=${grants.length}` : name,
      )
    assert.deepEqual(await list('user', { limit: 2 }), ['acme=2', 'acme-x'], 'rights are not counted as accounts')
    assert.deepEqual(await list('user', { limit: 2, last: 'acme-x' }), ['acmes', 'ann'])
    assert.deepEqual(await list('user', { last: 'anna' }), ['b.c'])
    assert.deepEqual(await list('user', { owner: 'acme' }), ['acme=2'])
    assert.deepEqual(await list('robot', { owner: 'acme' }), ['acme+cd', 'acme+ci'])
    assert.deepEqual(await list('robot', { owner: 'acme', last: 'acme+cd', limit: 9 }), ['acme+ci'])
    assert.deepEqual(await list('robot', { owner: 'acm' }), [])
  })

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

  check('an account that is looked for again is as it is now, whoever changed it', async ({ meta, other }) => {
    await add(meta, 'user', 'ann')
    const { id } = (await meta.findAccount({ name: 'ann' }))!
    const now = async () => {
      const [here, there] = [await meta.findAccount({ id }), await other.findAccount({ id })]
      assert.deepEqual(here, there)
      return here && [here.admin, here.generation, ...here.grants.map(({ pattern }) => pattern)]
    }
    assert.deepEqual(await now(), [false, 1])
    await other.setGrant('ann', 'acme/*', 'read')
    assert.deepEqual(await now(), [false, 1, 'acme/*'])
    await meta.setAdmin('ann', true)
    assert.deepEqual(await now(), [true, 1, 'acme/*'])
    await other.setPassword('ann', 'another hash')
    assert.deepEqual(await now(), [true, 2, 'acme/*'])
    await meta.removeAccount('ann', 'user')
    assert.deepEqual(await now(), undefined)
  })

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
    'of what is public, a repository is shown what may be about it, whatever others publish',
    async ({ meta, other }) => {
      const patterns = ['**', '*/web', 'ac*/**', 'acme/**', 'acme/web', 'acmes/**', 'bob']
      for (const pattern of patterns) await meta.setPublic(pattern, true)
      const open = ['**', '*/web', 'ac*/**']
      const about = async (repository: string) => (await other.publicPatterns(repository)).toSorted()
      assert.deepEqual(await about('acme/web'), [...open, 'acme/**', 'acme/web'])
      assert.deepEqual(await about('acmes/web'), [...open, 'acmes/**'])
      assert.deepEqual(await about('bob'), [...open, 'bob'])
      await meta.putManifest('acme/web', manifest({ content: 'one' }))
      await meta.renameRepository('acme/web', 'bob/web', { redirect: 0 })
      assert.deepEqual(await about('bob/web'), [...open, 'bob', 'bob/web'], 'what named exactly it follows')
      assert.deepEqual(await about('acme/web'), [...open, 'acme/**'])
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

export function auditContract(check: Check): void {
  const lines = (entries: AuditEntry[]) =>
    entries.map(({ actor, action, target, detail }) => [actor, action, target, detail ?? ''].join(' ').trim())

  check(
    'every change of accounts is recorded once, with who made it, and what changed nothing is not',
    async ({ meta, other }) => {
      const by = meta.as({ actor: 'user:root', address: '10.0.0.1' })
      await by.addAccount({ kind: 'user', name: 'ann', admin: true })
      await by.addAccount({ kind: 'user', name: 'ann' })
      await by.setPassword('ann', 'h')
      await by.setPassword('nobody', 'h')
      await by.setGrant('ann', 'x/*', 'read')
      await by.setGrant('ann', 'x/*', undefined)
      await by.setGrant('ann', 'x/*', undefined)
      await by.addAccount({ kind: 'organisation', name: 'acme' })
      await by.addAccount({ kind: 'organisation', name: 'x' })
      await by.setMember('acme', 'ann', 'owner')
      await by.setMember('acme', 'nobody', 'owner')
      await by.setMember('acme', 'ann', undefined)
      await by.setPublic('acme/**', true)
      await by.setPublic('acme/**', true)
      await by.setPublic('acme/**', false)
      await by.addAccessToken('ann', { id: 'i', label: 'ci', hash: 'secret hash', role: 'read', pattern: '**' })
      await by.removeAccessToken('ann', 'ci')
      await by.removeAccessToken('ann', 'ci')
      await meta.removeAccount('acme', 'organisation')
      const entries = await other.listAudit({ limit: 100 })
      assert.deepEqual(lines(entries.toReversed()), [
        'user:root user.add ann admin',
        'user:root user.password ann',
        'user:root grant.set ann x/*=read',
        'user:root grant.remove ann x/*',
        'user:root organisation.add acme',
        'user:root organisation.add x',
        'user:root member.set acme ann=owner',
        'user:root member.remove acme ann',
        'user:root public.add acme/**',
        'user:root public.remove acme/**',
        'user:root token.add ann ci: **=read',
        'user:root token.remove ann ci',
        'operator organisation.remove acme',
      ])
      assert.deepEqual(
        [entries.at(-1)?.address, entries[0]?.address, entries[0]?.outcome, entries[0]?.at],
        ['10.0.0.1', undefined, 'done', NOW],
      )
      assert.doesNotMatch(JSON.stringify(entries), /secret hash/)
    },
  )

  check(
    'the log is searched by actor, action, target, outcome and time, in pages, and forgotten by age',
    async ({ meta, setTime }) => {
      await meta.addAccount({ kind: 'user', name: 'ann' })
      await setTime(NOW + 1000)
      await meta.as({ actor: 'user:ann' }).setGrant('ann', 'a_b/*', 'read')
      await setTime(NOW + 2000)
      const refusal = { actor: 'user:bob', address: '::1', action: 'push', target: 'acme/web', detail: 'DENIED' }
      const late = { ...refusal, age: 0 }
      await meta.recordRefusals([
        { ...late, age: 5 },
        { ...late, target: 'acmeXweb' },
      ])
      const found = async (filter: AuditFilter) =>
        (await meta.listAudit({ limit: 10, ...filter })).map(({ target }) => target)
      assert.deepEqual(await found({}), ['acmeXweb', 'acme/web', 'ann', 'ann'])
      assert.deepEqual(await found({ actor: 'user:ann' }), ['ann'])
      assert.deepEqual(await found({ action: 'grant.*' }), ['ann'])
      assert.deepEqual(await found({ action: '*' }), ['acmeXweb', 'acme/web', 'ann', 'ann'])
      assert.deepEqual(await found({ target: 'acme/*' }), ['acme/web'])
      assert.deepEqual(await found({ target: 'acme_web' }), [], 'signs of the database’s own patterns mean nothing')
      assert.deepEqual(await found({ outcome: 'refused', target: '*web' }), ['acmeXweb', 'acme/web'])
      assert.deepEqual(await found({ since: NOW + 1000, until: NOW + 2000 }), ['acme/web', 'ann'], 'at its own time')
      const [newest] = await meta.listAudit({ limit: 1 })
      assert.deepEqual(await found({ limit: 1, before: newest!.id } as AuditFilter), ['acme/web'])
      const { id: _, ...kept } = newest!
      assert.deepEqual(kept, { ...refusal, target: 'acmeXweb', outcome: 'refused', at: NOW + 2000 })
      assert.equal(await meta.expireAudit(1000), 1)
      assert.deepEqual(await found({}), ['acmeXweb', 'acme/web', 'ann'])
      const by = { actor: 'user:ann', address: '::1' }
      const one = { action: 'image.promote', target: 'prod/web:1', detail: 'TAG_IMMUTABLE' } as const
      await meta.as(by).recordRefusal(one)
      const { id: __, at, ...told } = (await meta.listAudit({ limit: 1 }))[0]!
      assert.deepEqual([told, at], [{ ...by, ...one, outcome: 'refused' }, NOW + 2000])
    },
  )

  check(
    'what changes tags, manifests, blobs and policies is recorded, with the address it came from',
    async ({ meta, other }) => {
      const by = meta.as({ actor: 'user:ann', address: '10.0.0.1' })
      const actor = 'user:ann'
      const [one, two, bare] = [
        { ...manifest({ content: 'one', tags: ['v1', 'v2'] }), actor },
        { ...manifest({ content: 'two', tags: ['v1'] }), actor },
        { ...manifest({ content: 'bare' }), actor },
      ]
      for (const pushed of [one, one, two, bare, bare]) await by.putManifest('a/b', pushed)
      await by.deleteTag('a/b', 'v1', actor)
      await by.deleteTag('a/b', 'v1', actor)
      await by.deleteManifest('a/b', one.digest, actor)
      await by.deleteManifest('a/b', one.digest, actor)
      const { digest } = await push(meta, 'a/b', 'layer')
      await by.unlinkBlob('a/b', digest)
      await by.unlinkBlob('a/b', digest)
      const policy = await by.addPolicy({ kind: 'immutable', pattern: 'a/*', tags: ['v*'], except: [] })
      await by.removePolicy(policy)
      await by.removePolicy(policy)
      const entries = (await other.listAudit({ limit: 100 })).toReversed()
      assert.deepEqual(lines(entries), [
        `user:ann tag.set a/b:v1 ${one.digest}`,
        `user:ann tag.set a/b:v2 ${one.digest}`,
        `user:ann tag.set a/b:v1 ${two.digest}`,
        `user:ann manifest.push a/b@${bare.digest}`,
        'user:ann tag.delete a/b:v1',
        'user:ann tag.delete a/b:v2',
        `user:ann manifest.delete a/b@${one.digest}`,
        `user:ann blob.delete a/b@${digest}`,
        `user:ann policy.add a/* ${policy}: immutable v*`,
        `user:ann policy.remove a/* ${policy}: immutable`,
      ])
      assert.deepEqual([...new Set(entries.map(({ address }) => address))], ['10.0.0.1'])
    },
  )
}
