import assert from 'node:assert/strict'
import type { DirectoryEntry } from './directory-accounts.ts'
import { type Check, DAY, manifest, NOW } from './kit-contract.ts'
import type { MetaStore } from './meta-store.ts'

const HOUR = 3_600_000

async function user(meta: MetaStore, name: string) {
  await meta.addAccount({ kind: 'user', name, passwordHash: 'h' })
  return (await meta.findAccount({ name }))!
}

export function refreshTokenContract(check: Check): void {
  check('a refresh token is found by its hash until it was not used for long', async ({ meta, other, setTime }) => {
    const account = await user(meta, 'ann')
    assert.equal(await meta.addRefreshToken({ hash: 'a', account, client: 'docker' }, DAY), 'added')
    assert.deepEqual(await other.useRefreshToken('a', DAY), { account })
    assert.equal(await other.useRefreshToken('b', DAY), undefined)
    await setTime(NOW + DAY - 1)
    assert.ok(await meta.useRefreshToken('a', DAY), 'not yet')
    await setTime(NOW + 2 * DAY - 2)
    assert.ok(await meta.useRefreshToken('a', DAY), 'its use prolonged it')
    assert.equal(await meta.useRefreshToken('a', 0), undefined, 'the period is that of now')
    await setTime(NOW + 4 * DAY)
    assert.equal(await other.useRefreshToken('a', DAY), undefined)
    const [entry] = await meta.listAudit({ limit: 1 })
    assert.deepEqual([entry?.action, entry?.target, entry?.detail], ['login.add', 'ann', 'docker'])
    assert.doesNotMatch(JSON.stringify(await meta.listAudit({ limit: 9 })), /"a"/)
  })

  check('one with a lifetime ends then, however much it is used', async ({ meta, setTime }) => {
    const account = await user(meta, 'ann')
    await meta.addRefreshToken({ hash: 'a', account, client: '', lifetime: HOUR }, DAY)
    await setTime(NOW + HOUR - 1)
    assert.ok(await meta.useRefreshToken('a', 0))
    await setTime(NOW + HOUR)
    assert.equal(await meta.useRefreshToken('a', DAY), undefined)
  })

  check('refresh tokens end with a new password, a logout, and their account', async ({ meta, other }) => {
    const before = await user(meta, 'ann')
    await meta.addRefreshToken({ hash: 'a', account: before, client: '' }, DAY)
    await other.setPassword('ann', 'h2')
    assert.equal(await meta.useRefreshToken('a', DAY), undefined)
    assert.equal(await meta.addRefreshToken({ hash: 'b', account: before, client: '' }, DAY), 'missing')
    await meta.addRefreshToken({ hash: 'c', account: (await meta.findAccount({ name: 'ann' }))!, client: '' }, DAY)
    assert.ok(await meta.useRefreshToken('c', DAY))
    assert.equal(await other.endLogins('ann'), true)
    assert.equal(await other.endLogins('nobody'), false)
    assert.equal(await meta.useRefreshToken('c', DAY), undefined)
    const account = (await meta.findAccount({ name: 'ann' }))!
    assert.equal(account.generation, 3)
    await meta.addRefreshToken({ hash: 'd', account, client: '' }, DAY)
    await other.removeAccount('ann', 'user')
    await user(meta, 'ann')
    assert.equal(await meta.useRefreshToken('d', DAY), undefined, 'a later user of the name has none')
    assert.equal(await meta.addRefreshToken({ hash: 'e', account, client: '' }, DAY), 'missing')
  })

  check('one that an access token was shown for gives no more, and ends with it', async ({ meta, other, setTime }) => {
    const account = await user(meta, 'ann')
    const accessToken = 'b'.repeat(32)
    const token = { id: accessToken, label: 'ci', role: 'read', pattern: 'ann/*', hash: 'x', lifetime: HOUR } as const
    await meta.addAccessToken('ann', token)
    await meta.addRefreshToken({ hash: 'a', account, accessToken, client: '' }, DAY)
    const found = (await other.useRefreshToken('a', DAY))!
    assert.deepEqual([found.account.name, found.token?.role, found.token?.pattern], ['ann', 'read', 'ann/*'])
    await setTime(NOW + HOUR)
    assert.equal(await meta.useRefreshToken('a', DAY), undefined)
    await setTime(NOW)
    assert.ok(await meta.useRefreshToken('a', DAY))
    await other.removeAccessToken('ann', 'ci')
    assert.equal(await meta.useRefreshToken('a', DAY), undefined)
  })

  check('of very many refresh tokens the ones that nobody uses go', async ({ meta, setTime }) => {
    const account = await user(meta, 'ann')
    const add = (hash: string) => meta.addRefreshToken({ hash, account, client: '' }, DAY)
    await add('used')
    await meta.useRefreshToken('used', DAY)
    await add('unused')
    await setTime(NOW + 2 * HOUR)
    for (let at = 0; at < 299; at++) await add(`new ${at}`)
    assert.equal(await meta.useRefreshToken('unused', DAY), undefined)
    assert.ok(await meta.useRefreshToken('used', DAY))
    assert.ok(await meta.useRefreshToken('new 0', DAY))
    assert.ok(await meta.useRefreshToken('new 298', DAY))
  })
}

const entry = (more: Partial<DirectoryEntry> = {}): DirectoryEntry => ({
  ...{ name: 'ann', origin: 'ldap', groups: [], ruled: [] },
  ...more,
})

export function directoryContract(check: Check): void {
  const groupsOf = async (meta: MetaStore, name: string) => {
    const groups: string[] = []
    for (const kind of ['organisation', 'team'] as const) {
      for (const group of await meta.listAccounts(kind)) {
        const member = (await meta.listMembers(group.name))?.find((one) => one.name === name)
        if (member) groups.push(`${group.name}=${member.role}`)
      }
    }
    return groups
  }

  check('somebody of a directory gets an account, which is found again', async ({ meta, other }) => {
    const first = await meta.enterAccount(entry({ subject: 's1' }))
    assert.ok('account' in first)
    const { account } = first
    assert.deepEqual(
      [account.kind, account.name, account.origin, account.passwordHash, account.admin],
      ['user', 'ann', 'ldap', undefined, false],
    )
    assert.deepEqual(await other.enterAccount(entry({ subject: 's1' })), first)
    assert.deepEqual(await other.findAccount({ name: 'ann' }), account)
    assert.equal(await meta.setPassword('ann', 'h'), false, 'it has no password here')
    const entries = await meta.listAudit({ limit: 9 })
    assert.deepEqual(
      entries.map(({ action, detail }) => [action, detail]),
      [['user.add', 'by ldap']],
      'what changes nothing is not on record',
    )
  })

  check('no account is taken over, and no name of repositories', async ({ meta, other }) => {
    await user(meta, 'bob')
    await meta.addAccount({ kind: 'organisation', name: 'acme' })
    await meta.addAccount({ kind: 'robot', name: 'acme+ci', owner: 'acme' })
    for (const name of ['bob', 'acme', 'acme+ci']) {
      assert.deepEqual(await other.enterAccount(entry({ name, admin: true })), { taken: name })
      assert.equal((await meta.findAccount({ name }))?.admin, false)
    }
    await meta.enterAccount(entry({ subject: 's1' }))
    assert.deepEqual(await meta.enterAccount(entry({ subject: 's2' })), { taken: 'ann' }, 'a later owner of the name')
    assert.deepEqual(await meta.enterAccount(entry({ origin: 'other' })), { taken: 'ann' })
    assert.ok('account' in (await meta.enterAccount(entry())), 'a directory need not say whom it means')
    await meta.enterAccount(entry({ name: 'cat' }))
    await meta.enterAccount(entry({ name: 'cat', subject: 's3' }))
    assert.deepEqual(await meta.enterAccount(entry({ name: 'cat', subject: 's4' })), { taken: 'cat' })
    await other.putManifest('team/web', manifest({ content: 'image' }))
    assert.deepEqual(await meta.enterAccount(entry({ name: 'team' })), { taken: 'team/web' })
    assert.equal(await meta.findAccount({ name: 'team' }), undefined)
  })

  check('whoever has another name there keeps the account, where that is wanted', async ({ meta, other }) => {
    const first = await meta.enterAccount(entry({ subject: 's1', renames: true }))
    assert.ok('account' in first)
    const renamed = { name: 'anna', subject: 's1', renames: true }
    assert.deepEqual(await other.enterAccount(entry(renamed)), first)
    assert.equal(await meta.findAccount({ name: 'anna' }), undefined)
    const elsewhere = await other.enterAccount(entry({ ...renamed, origin: 'other' }))
    assert.ok('account' in elsewhere && elsewhere.account.name === 'anna', 'of another provider it is somebody else')
    assert.deepEqual(await meta.enterAccount(entry({ subject: 's2', renames: true })), { taken: 'ann' })
  })

  check('logins of one person at once make one account', async ({ meta, other }) => {
    const enter = (store: MetaStore) => store.enterAccount(entry({ subject: 's1', renames: true }))
    const all = await Promise.all([meta, other, meta, other, meta].map(enter))
    const ids = all.map((one) => ('account' in one ? one.account.id : one.taken))
    assert.equal(new Set(ids).size, 1)
    assert.equal((await meta.findAccount({ name: 'ann' }))?.id, ids[0])
  })

  check('an account follows its directory: groups that it rules, and administrators', async ({ meta, other }) => {
    for (const name of ['acme', 'umbrella', 'free']) await meta.addAccount({ kind: 'organisation', name })
    for (const name of ['acme/web', 'umbrella/x']) {
      await meta.addAccount({ kind: 'team', name, owner: name.split('/')[0] })
    }
    const ruled = ['acme/web', 'acme', 'umbrella', 'umbrella/x', 'gone']
    const member = (name: string) => ({ name, role: 'member' }) as const
    const all = ['acme/web', 'acme', 'umbrella/x', 'umbrella', 'gone'].map(member)
    const first = await meta.enterAccount(entry({ admin: true, groups: all, ruled }))
    assert.deepEqual('missing' in first && first.missing, ['gone'])
    assert.equal((await other.findAccount({ name: 'ann' }))?.admin, true)
    await meta.setMember('free', 'ann', 'owner')
    assert.deepEqual(await groupsOf(other, 'ann'), [
      ...['acme=member', 'free=owner', 'umbrella=member', 'acme/web=member', 'umbrella/x=member'],
    ])
    const lines = (await meta.listAudit({ limit: 99 })).length
    await other.enterAccount(entry({ admin: true, groups: all.slice(0, 4), ruled }))
    assert.equal((await meta.listAudit({ limit: 99 })).length, lines, 'nothing changed')
    await other.enterAccount(entry({ groups: [{ name: 'acme', role: 'owner' }], ruled }))
    assert.deepEqual(await groupsOf(meta, 'ann'), ['acme=owner', 'free=owner'], 'out of all others that it rules')
    assert.equal((await other.findAccount({ name: 'ann' }))?.admin, true, 'nothing was said about it')
    await other.enterAccount(entry({ admin: false, ruled }))
    assert.deepEqual(await groupsOf(meta, 'ann'), ['free=owner'])
    assert.equal((await other.findAccount({ name: 'ann' }))?.admin, false)
  })
}

export function sessionContract(check: Check): void {
  const session = (account: { id: string; generation: number }, hash = 'a') => ({
    ...{ hash, account, unusedFor: 2 * HOUR, lifetime: 5 * HOUR },
  })

  check(
    'a session is found by its hash until it is not used, or its time is over',
    async ({ meta, other, setTime }) => {
      const account = await user(meta, 'ann')
      assert.equal(await meta.addSession(session(account)), 'added')
      assert.deepEqual(await other.useSession('a', 2 * HOUR), account)
      assert.equal(await other.useSession('b', 2 * HOUR), undefined)
      for (const [hours, lives] of [
        [1.9, true],
        [3.8, true],
        [4.99, true],
        [5, false],
      ] as const) {
        await setTime(NOW + hours * HOUR)
        assert.equal((await other.useSession('a', 2 * HOUR)) !== undefined, lives, String(hours))
      }
      await meta.addSession(session(account, 'b'))
      await setTime(NOW + 7 * HOUR)
      assert.equal(await meta.useSession('b', 2 * HOUR), undefined)
    },
  )

  check('sessions end one by one, with a logout, a new password and their account', async ({ meta, other }) => {
    const account = await user(meta, 'ann')
    await meta.addSession(session(account))
    assert.equal(await other.endSession('a'), true)
    assert.equal(await other.endSession('a'), false)
    assert.equal(await meta.useSession('a', HOUR), undefined)
    await meta.addSession(session(account))
    await other.endLogins('ann')
    assert.equal(await meta.useSession('a', HOUR), undefined)
    assert.equal(await meta.addSession(session(account, 'b')), 'missing', 'a login of before')
    await meta.addSession(session((await meta.findAccount({ name: 'ann' }))!, 'c'))
    await other.setPassword('ann', 'h2')
    assert.equal(await meta.useSession('c', HOUR), undefined)
    await meta.addSession(session((await meta.findAccount({ name: 'ann' }))!, 'd'))
    await other.removeAccount('ann', 'user')
    await user(meta, 'ann')
    assert.equal(await meta.useSession('d', HOUR), undefined)
  })

  check('what a user is logged in with is listed, without what can be used', async ({ meta, other, setTime }) => {
    const account = await user(meta, 'ann')
    await user(meta, 'bob')
    await meta.addSession(session(account))
    await setTime(NOW + 1000)
    await meta.addRefreshToken({ hash: 'r', account, client: 'docker' }, DAY)
    await meta.useRefreshToken('r', DAY)
    const kept = [
      { kind: 'program', client: 'docker', createdAt: NOW + 1000, usedAt: NOW + 1000, endsAt: undefined },
      { kind: 'browser', client: '', createdAt: NOW, usedAt: NOW, endsAt: NOW + 5 * HOUR },
    ]
    assert.deepEqual(await other.listLogins('ann'), kept)
    assert.deepEqual(await other.listLogins('bob'), [])
    assert.equal(await other.listLogins('nobody'), undefined)
    await setTime(NOW + 5 * HOUR)
    assert.deepEqual(await other.listLogins('ann'), kept.slice(0, 1))
  })

  check('of very many sessions of an account those go that nobody uses', async ({ meta, setTime }) => {
    const account = await user(meta, 'ann')
    await user(meta, 'bob')
    await meta.addSession(session((await meta.findAccount({ name: 'bob' }))!, 'of bob'))
    await meta.addSession(session(account, 'used'))
    await meta.addSession(session(account, 'unused'))
    await setTime(NOW + HOUR)
    assert.ok(await meta.useSession('used', 2 * HOUR))
    for (let at = 0; at < 19; at++) await meta.addSession(session(account, `new ${at}`))
    assert.equal(await meta.useSession('unused', 2 * HOUR), undefined)
    for (const hash of ['used', 'new 0', 'new 18', 'of bob']) assert.ok(await meta.useSession(hash, 2 * HOUR), hash)
  })

  check(
    'sessions and waiting programs whose time is over are forgotten with the regular work',
    async ({ meta, setTime }) => {
      await meta.addSession(session(await user(meta, 'ann')))
      await meta.addDeviceLogin(device())
      await setTime(NOW + DAY)
      await meta.expireUploads()
      await setTime(NOW)
      assert.equal(await meta.useSession('a', HOUR), undefined)
      assert.equal(await meta.pollDeviceLogin('d'), 'unknown')
    },
  )
}

const device = (more: object = {}) => ({
  ...{ hash: 'd', userHash: 'u', client: 'bale', address: '192.0.2.1', network: '192.0.2.1' },
  ...{ lifetime: HOUR, pollEvery: 5000 },
  ...more,
})

export function deviceLoginContract(check: Check): void {
  check('a program that somebody lets in gets the account, once', async ({ meta, other, setTime }) => {
    const account = await user(meta, 'ann')
    assert.equal(await meta.addDeviceLogin(device()), 'added')
    assert.equal(await meta.addDeviceLogin(device({ hash: 'e' })), 'taken')
    assert.equal(await other.pollDeviceLogin('d'), 'pending')
    assert.equal(await other.pollDeviceLogin('x'), 'unknown')
    assert.deepEqual(await other.findDeviceLogin('u'), { client: 'bale', address: '192.0.2.1' })
    assert.equal(await other.findDeviceLogin('x'), undefined)
    assert.equal(await other.decideDeviceLogin('x', { account, allow: true }), false)
    assert.equal(await other.decideDeviceLogin('u', { account, allow: true }), true)
    assert.equal(await other.decideDeviceLogin('u', { account, allow: false }), false, 'it is decided')
    assert.equal(await other.findDeviceLogin('u'), undefined)
    await setTime(NOW + 5000)
    assert.deepEqual(await meta.pollDeviceLogin('d'), { account, client: 'bale' })
    await setTime(NOW + 10_000)
    assert.equal(await meta.pollDeviceLogin('d'), 'unknown')
    const [entry] = await meta.listAudit({ limit: 1 })
    assert.deepEqual([entry?.action, entry?.target, entry?.detail], ['device.allow', 'ann', 'bale at 192.0.2.1'])
  })

  check('of several who ask at once one gets the account', async ({ meta, other }) => {
    const account = await user(meta, 'ann')
    await meta.addDeviceLogin(device({ pollEvery: 0 }))
    await meta.decideDeviceLogin('u', { account, allow: true })
    const all = await Promise.all([meta, other, meta, other].map((store) => store.pollDeviceLogin('d')))
    assert.equal(all.filter((one) => typeof one === 'object').length, 1)
  })

  check('one that is denied, or too late, gets nothing', async ({ meta, other, setTime }) => {
    const account = await user(meta, 'ann')
    await meta.addDeviceLogin(device())
    assert.equal(await other.decideDeviceLogin('u', { account, allow: false }), true)
    assert.equal(await meta.pollDeviceLogin('d'), 'denied')
    await meta.addDeviceLogin(device({ hash: 'late', userHash: 'v' }))
    await setTime(NOW + HOUR)
    assert.equal(await other.findDeviceLogin('v'), undefined)
    assert.equal(await other.decideDeviceLogin('v', { account, allow: true }), false)
    assert.equal(await meta.pollDeviceLogin('late'), 'expired')
  })

  check('one that asks too often is to ask less often', async ({ meta, other, setTime }) => {
    await meta.addDeviceLogin(device())
    for (const [at, answer] of [
      [0, 'pending'],
      [1000, 'slow'],
      [8000, 'slow'],
      [22_000, 'slow'],
      [42_000, 'pending'],
    ] as const) {
      await setTime(NOW + at)
      assert.equal(await other.pollDeviceLogin('d'), answer, String(at))
    }
  })

  check('whoever is logged out or removed meanwhile has let nobody in', async ({ meta, other, setTime }) => {
    const account = await user(meta, 'ann')
    await meta.addDeviceLogin(device())
    await meta.decideDeviceLogin('u', { account, allow: true })
    await other.endLogins('ann')
    assert.equal(await meta.pollDeviceLogin('d'), 'denied')
    await meta.addDeviceLogin(device({ hash: 'e', userHash: 'v' }))
    assert.equal(await meta.decideDeviceLogin('v', { account, allow: true }), false, 'a login of before')
    await meta.decideDeviceLogin('v', { account: (await meta.findAccount({ name: 'ann' }))!, allow: true })
    await other.removeAccount('ann', 'user')
    await setTime(NOW + 6000)
    assert.equal(await meta.pollDeviceLogin('e'), 'unknown')
  })

  check('few programs of one network wait at once', async ({ meta, other, setTime }) => {
    const add = (at: number, network: string) =>
      meta.addDeviceLogin(device({ hash: `d${network}${at}`, userHash: `u${network}${at}`, network }))
    for (let at = 0; at < 20; at++) assert.equal(await add(at, 'one'), 'added')
    assert.equal(await add(20, 'one'), 'full')
    assert.equal(await add(20, 'other'), 'added')
    await setTime(NOW + HOUR)
    assert.equal(await other.addDeviceLogin(device({ network: 'one' })), 'added')
  })
}
