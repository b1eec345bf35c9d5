import assert from 'node:assert/strict'
import { type Check, manifest, NOW } from './kit-contract.ts'
import type { MetaStore } from './meta-store.ts'

export function accountContract(check: Check): void {
  check(
    'accounts and grants are kept, replaced and removed, and another process sees it at once',
    async ({ meta, other }) => {
      assert.equal(await meta.addAccount({ kind: 'user', name: 'ann', passwordHash: 'h1', admin: true }), 'added')
      assert.deepEqual(await other.addAccount({ kind: 'user', name: 'ann', passwordHash: 'h2', admin: false }), {
        taken: 'ann',
      })
      assert.equal(await meta.setGrant('ann', 'b/*', 'read'), true)
      assert.equal(await meta.setGrant('ann', 'a/*', 'write'), true)
      assert.equal(await other.setGrant('ann', 'b/*', 'admin'), true)
      const grants = [
        { pattern: 'a/*', role: 'write' },
        { pattern: 'b/*', role: 'admin' },
      ]
      const ann = (await other.findAccount({ name: 'ann' }))!
      assert.match(ann.id, /^[0-9a-f]{32}$/)
      assert.deepEqual(ann, {
        ...{ id: ann.id, kind: 'user', generation: 1, name: 'ann', passwordHash: 'h1', admin: true, grants },
      })
      assert.deepEqual(await meta.findAccount({ id: ann.id }), ann)
      assert.equal(await meta.setGrant('ann', 'a/*', undefined), true)
      assert.equal(await meta.setGrant('ann', 'a/*', undefined), false)
      assert.equal(await meta.setGrant('nobody', 'a/*', 'read'), false)
      assert.equal(await meta.setPassword('ann', 'h3'), true)
      assert.equal((await other.findAccount({ id: ann.id }))?.generation, 2)
      assert.equal(await meta.setPassword('nobody', 'h3'), false)
      await meta.addAccount({ kind: 'user', name: 'Bob', passwordHash: 'h', admin: false })
      assert.deepEqual(
        (await other.listAccounts('user')).map((one) => [one.name, one.passwordHash, one.grants.length]),
        [
          ['Bob', 'h', 0],
          ['ann', 'h3', 1],
        ],
      )
      assert.equal(await other.removeAccount('ann', 'user'), 'removed')
      assert.equal(await other.removeAccount('ann', 'user'), 'absent')
      assert.equal(await meta.findAccount({ name: 'ann' }), undefined)
      await meta.addAccount({ kind: 'user', name: 'ann', passwordHash: 'h', admin: false })
      const again = (await other.findAccount({ name: 'ann' }))!
      assert.deepEqual(again.grants, [], 'grants go with the account')
      assert.notEqual(again.id, ann.id, 'a later user of the name is another one')
      assert.equal(await meta.findAccount({ id: ann.id }), undefined)
    },
  )

  check('a name below which there is something is given to a new account only on purpose', async ({ meta, other }) => {
    const add = (name: string, adopt?: boolean) =>
      meta.addAccount({ kind: 'user', name, passwordHash: 'h', admin: false, adopt })
    await other.putManifest('team/web', manifest({ content: 'image' }))
    assert.deepEqual(await add('team'), { taken: 'team/web' })
    assert.deepEqual(await add('tea'), 'added', 'a name is not part of another')
    assert.equal(await add('team', true), 'added')
    await other.setGrant('tea', 'cat/*', 'read')
    assert.deepEqual(await add('cat'), { taken: 'cat/*' })
    assert.equal(await add('ca'), 'added')
  })

  check('of two who take a name at once one gets it', async ({ meta, other }) => {
    const added = await Promise.all(
      Array.from({ length: 8 }, (_, number) =>
        (number % 2 ? meta : other).addAccount({ kind: 'user', name: 'ann', passwordHash: `h${number}`, admin: false }),
      ),
    )
    assert.equal(added.filter((one) => one === 'added').length, 1)
    assert.equal((await meta.findAccount({ name: 'ann' }))?.passwordHash, `h${added.indexOf('added')}`)
  })

  check('signing keys come newest first, are replaced and removed', async ({ meta, other, setTime }) => {
    await meta.putSigningKey({ id: 'old', privateKey: 'o' })
    await setTime(NOW + 1)
    await meta.putSigningKey({ id: 'new', privateKey: 'n' })
    await other.putSigningKey({ id: 'old', privateKey: 'sealed' })
    await setTime(NOW + 5)
    assert.deepEqual(await other.signingKeys(), [
      { id: 'new', privateKey: 'n', age: 4 },
      { id: 'old', privateKey: 'sealed', age: 5 },
    ])
    await other.removeSigningKey('old')
    assert.deepEqual(
      (await meta.signingKeys()).map(({ id }) => id),
      ['new'],
    )
  })
}

export function coordinationContract(check: Check): void {
  check('the time is the one of the database', async ({ meta, other, setTime }) => {
    assert.deepEqual([await meta.now(), await other.now()], [NOW, NOW])
    await setTime(NOW + 5)
    assert.equal(await other.now(), NOW + 5)
  })

  check('attempts count within the period, and one that was right is given back', async ({ meta, other, setTime }) => {
    const limits = [
      { key: 'b', limit: 2 },
      { key: 'a', limit: 3 },
    ]
    const count = (store: MetaStore, id: string) => store.countAttempt(id, { limits, period: 1000 })
    assert.equal(await count(meta, '1'), 'counted')
    await setTime(NOW + 100)
    assert.equal(await count(other, '2'), 'counted')
    assert.deepEqual(await count(meta, '3'), { wait: 900 })
    const only = [{ key: 'a', limit: 3 }]
    assert.equal(await meta.countAttempt('4', { limits: only, period: 1000 }), 'counted', 'a refused one did not count')
    assert.deepEqual(await meta.countAttempt('5', { limits: only, period: 1000 }), { wait: 900 })
    await other.giveBackAttempt('1', ['a', 'b', 'none'])
    assert.equal(await count(meta, '6'), 'counted')
    await setTime(NOW + 1101)
    assert.equal(await count(other, '7'), 'counted')
    await setTime(NOW + 9000)
    await meta.expireUploads()
    assert.equal(await count(other, '8'), 'counted')
  })

  check('of many attempts at once no more than the limit count', async ({ meta, other }) => {
    const limits = [
      { key: 'account', limit: 4 },
      { key: 'address', limit: 100 },
    ]
    const counted = await Promise.all(
      Array.from({ length: 16 }, (_, number) =>
        (number % 2 ? meta : other).countAttempt(`${number}`, { limits, period: 1000 }),
      ),
    )
    assert.equal(counted.filter((one) => one === 'counted').length, 4)
  })

  check('a turn is one process’s until it is over or ended', async ({ meta, other, setTime }) => {
    assert.equal(await meta.takeTurn('collection', 'one', 100), true)
    assert.equal(await other.takeTurn('collection', 'two', 100), false)
    assert.equal(await other.takeTurn('other work', 'two', 100), true)
    await setTime(NOW + 90)
    assert.equal(await meta.takeTurn('collection', 'one', 100), true, 'it may be renewed')
    await setTime(NOW + 150)
    assert.equal(await other.takeTurn('collection', 'two', 100), false)
    await other.endTurn('collection', 'two')
    assert.equal(await other.takeTurn('collection', 'two', 100), false, 'another process’s turn is not ended')
    await meta.endTurn('collection', 'one')
    assert.equal(await other.takeTurn('collection', 'two', 100), true)
    await setTime(NOW + 251)
    assert.equal(await meta.takeTurn('collection', 'one', 100), true, 'a dead process keeps none')
  })
}
