import assert from 'node:assert/strict'
import { type Check, DAY, manifest, NOW, type Under } from './kit-contract.ts'
import type { MetaStore } from './meta-store.ts'
import type { ReplicationRule } from './replication-meta.ts'

const LEASE = 30_000

const rule = (name: string, parts: Partial<ReplicationRule> = {}): ReplicationRule => ({
  ...{ name, direction: 'push', repositories: ['**'], except: [], tags: ['*'], onPush: true },
  ...{ referrers: true, deletes: false },
  ...parts,
})

/** `a/b:1 waiting`, in the order in which they were queued first. */
const words = async (meta: MetaStore, name?: string) =>
  (await meta.listReplications({ rule: name, limit: 1000 }))
    .map(({ repository, reference, state }) => `${repository}:${reference} ${state}`)
    .toReversed()

const take = (meta: MetaStore, name = 'site') => meta.takeReplication(name, { lease: LEASE })
const DONE = { bytes: 10, blobs: 2, next: 'done' } as const

export function replicationContract(check: Check): void {
  check(
    'rules are those of the last start: others go with their tasks, a new schedule is due at once',
    async (under) => {
      const { meta, other, setTime } = under
      await meta.setReplicationRules([rule('site'), rule('other', { every: DAY }), rule('turns', { deletes: true })])
      await meta.putManifest('a/b', manifest({ content: 'x', tags: ['1'] }))
      await other.scheduleReplications()
      assert.deepEqual(await words(meta, 'other'), ['a/b:1 waiting', ': waiting'])
      await meta.scheduleReplications()
      await other.setReplicationRules([
        rule('site', { tags: ['v*'], referrers: false }),
        rule('other', { every: 2 * DAY }),
        rule('turns', { direction: 'pull', onPush: false, every: DAY }),
      ])
      assert.deepEqual(await words(meta, 'turns'), [], 'tasks of the other direction mean nothing')
      const [others, site, turns] = await meta.listReplicationRules()
      assert.deepEqual(site, {
        ...{ name: 'site', direction: 'push', repositories: ['**'], tags: ['v*'], onPush: true, every: undefined },
        ...{ referrers: false, deletes: false, nextAt: undefined, restsUntil: undefined, failure: undefined },
        tasks: { waiting: 1, due: 1, running: 0, done: 0, failed: 0 },
      })
      assert.deepEqual([others!.nextAt, turns!.nextAt], [NOW + DAY, NOW])
      await setTime(NOW + DAY)
      await meta.scheduleReplications()
      assert.equal((await meta.listReplicationRules())[0]!.nextAt, NOW + 3 * DAY)
      await meta.setReplicationRules([])
      assert.deepEqual([await other.listReplicationRules(), await words(other)], [[], []])
      assert.deepEqual([await other.queueReplications('site', []), await other.runReplication('site')], [false, false])
    },
  )

  check(
    'a change of a tag is a task of the rules that want it, with the change or not at all',
    async ({ meta, other }) => {
      await meta.setReplicationRules([
        rule('all', { except: ['cache/**'], deletes: true }),
        rule('images', { referrers: false }),
        rule('narrow', { repositories: ['a/*'], tags: ['v*'] }),
        rule('pulls', { direction: 'pull', onPush: false }),
        rule('scheduled', { onPush: false, every: DAY }),
      ])
      const image = manifest({ content: 'image', tags: ['v1', 'latest'] })
      await other.putManifest('a/b', image)
      await other.putManifest('cache/x', manifest({ content: 'x', tags: ['1'] }))
      const about = manifest({ content: 'sbom', subject: image.digest })
      await other.putManifest('a/b', about)
      await other.putManifest('a/b', about)
      const signature = `${image.digest.replace(':', '-')}.sig`
      await other.putManifest('a/b', manifest({ content: 'signature', tags: [signature] }))
      await meta.addPolicy({ kind: 'immutable', pattern: '**', tags: ['v*'], except: [] })
      const second = manifest({ content: 'second', tags: ['new', 'v1'] })
      await assert.rejects(other.putManifest('a/b', second), { code: 'TAG_IMMUTABLE' })
      const expected = ['a/b:latest', 'a/b:v1', `a/b:${about.digest}`, `a/b:${signature}`]
      const all = async (name: string) => (await words(meta, name)).map((line) => line.replace(/ .*/, ''))
      assert.deepEqual(await all('all'), expected)
      assert.deepEqual(await all('images'), ['a/b:latest', 'a/b:v1', 'cache/x:1', `a/b:${signature}`])
      assert.deepEqual(await all('narrow'), ['a/b:v1', `a/b:${about.digest}`, `a/b:${signature}`])
      assert.deepEqual([await all('pulls'), await all('scheduled')], [[], []])
      await other.deleteTag('a/b', 'latest', 'ann')
      assert.deepEqual([await all('all'), (await all('images'))[0]], [expected, 'a/b:v1'])
      await meta.renameRepository('a/b', 'c/d', { redirect: 0 })
      assert.deepEqual([(await all('all')).at(-1), (await all('narrow')).at(-1)], ['c/d:', `a/b:${signature}`])
    },
  )

  check('many changes of a tag are one task; what changes while it is done is done again', async ({ meta, other }) => {
    await meta.setReplicationRules([rule('site')])
    for (const content of ['1', '2', '3']) await other.putManifest('a/b', manifest({ content, tags: ['x'] }))
    assert.deepEqual(await words(meta), ['a/b:x waiting'])
    const taken = (await take(meta))!
    assert.deepEqual([taken.repository, taken.reference, taken.tries, taken.digest], ['a/b', 'x', 1, undefined])
    assert.equal(await take(other), undefined)
    const last = manifest({ content: '4', tags: ['x'] })
    await other.putManifest('a/b', last)
    assert.deepEqual([await words(meta), await take(other)], [['a/b:x running'], undefined])
    const { digest } = manifest({ content: '3' })
    assert.equal(await meta.endReplication(taken, { ...DONE, digest }), 'waiting')
    const again = (await take(other))!
    assert.deepEqual([again.id, again.tries, again.digest], [taken.id, 1, digest])
    assert.equal(await other.endReplication(again, { ...DONE, digest: last.digest }), 'done')
    const [task, ...others] = await meta.listReplications({ limit: 10 })
    assert.deepEqual(others, [])
    assert.deepEqual(task, {
      ...{ id: taken.id, rule: 'site', repository: 'a/b', reference: 'x', state: 'done', tries: 1, queuedAt: NOW },
      ...{ dueAt: NOW, lastAt: NOW, digest: last.digest, bytes: 10, blobs: 2, failure: undefined },
    })
    assert.deepEqual(await meta.replicatedRepositories('site', { limit: 10 }), ['a/b'])
    assert.deepEqual(await meta.replicatedTags('site', 'a/b', { limit: 10 }), [{ tag: 'x', digest: last.digest }])
    assert.deepEqual(await meta.replicatedTags('site', 'a/b', { last: 'x', limit: 10 }), [])
    await meta.forgetReplication('site', { repository: 'a/b', reference: 'x' })
    assert.deepEqual(await words(meta), [])
  })

  check(
    'a task is taken by one, one of a repository at a time, and by another when its lease is over',
    async (under) => {
      const { meta, other, setTime } = under
      await meta.setReplicationRules([rule('site')])
      for (const repository of ['a/a', 'b/b', 'c/c']) {
        await meta.putManifest(repository, manifest({ content: repository, tags: ['1', '2'] }))
      }
      assert.deepEqual(await other.dueReplications(), ['site'])
      const taken = (await Promise.all(Array.from({ length: 8 }, (_, at) => take(at % 2 ? meta : other)))).filter(
        (one) => one !== undefined,
      )
      assert.deepEqual(new Set(taken.map(({ id }) => id)).size, taken.length)
      // Two that look at the same moment may both find a repository where none is at work.
      assert.ok(taken.length >= 3 && taken.length <= 6, String(taken.length))
      assert.equal(await take(other), undefined)
      const [first, ...rest] = taken
      for (const one of rest) assert.equal(await meta.endReplication(one, DONE), 'done')
      await setTime(NOW + LEASE - 1)
      assert.equal(await meta.keepReplication(first!, { lease: LEASE, bytes: 7, blobs: 1 }), true)
      await setTime(NOW + LEASE)
      const shown = (await meta.listReplications({ state: 'running', limit: 10 }))[0]!
      assert.deepEqual([shown.id, shown.bytes, shown.blobs], [first!.id, 7, 1])
      await setTime(NOW + 2 * LEASE)
      assert.deepEqual(await meta.listReplications({ state: 'running', limit: 10 }), [])
      const found: number[] = []
      for (let one = await take(other); one; one = await take(other)) {
        found.push(one.id)
        if (one.id === first!.id) assert.equal(one.tries, 2)
        await other.endReplication(one, DONE)
      }
      assert.ok(found.includes(first!.id))
      assert.equal(await meta.keepReplication(first!, { lease: LEASE, bytes: 8, blobs: 1 }), false)
      assert.equal(await meta.endReplication(first!, DONE), undefined)
    },
  )

  check('what failed waits, is given up, and is tried again when somebody says so', async (under) => {
    const { meta, other, setTime } = under
    await meta.setReplicationRules([rule('site')])
    await meta.putManifest('a/b', manifest({ content: 'x', tags: ['1', '2'] }))
    const fail = async (next: 'failed' | { again: number }) => {
      const taken = (await take(meta))!
      return [taken, await meta.endReplication(taken, { bytes: 0, blobs: 0, failure: 'refused', next })] as const
    }
    assert.equal((await fail({ again: DAY }))[1], 'waiting')
    const [given, state] = await fail('failed')
    assert.equal(state, 'failed')
    assert.equal(await take(other), undefined)
    assert.deepEqual(await meta.countReplications(10), { waiting: 1, failed: 1 })
    assert.deepEqual(await meta.countReplications(0), { waiting: 0, failed: 0 })
    const { tasks } = (await other.listReplicationRules())[0]!
    assert.deepEqual(tasks, { waiting: 1, due: 0, running: 0, done: 0, failed: 1 })
    assert.equal(await other.retryReplications({ id: given.id + 1000 }), 0)
    assert.equal(await other.retryReplications({ id: given.id }), 1)
    const again = (await take(other))!
    assert.deepEqual([again.id, again.tries], [given.id, 1])
    await other.releaseReplication(again)
    assert.equal((await take(meta))!.tries, 1, 'it was not tried')
    assert.equal(await other.retryReplications({ rule: 'site' }), 1)
    await other.freeReplications()
    await setTime(NOW + 1)
    const both = [await take(meta)]
    await meta.endReplication(both[0]!, DONE)
    both.push(await take(meta))
    assert.ok(both.every(Boolean))
    const log = await meta.listAudit({ limit: 10, action: 'replication.*' })
    assert.deepEqual(
      log.map(({ action, target, detail }) => [action, target, detail]),
      [
        ['replication.retry', 'site', '1 tasks'],
        ['replication.retry', 'site', `task ${given.id}`],
      ],
    )
  })

  check('what was of use once is forgotten, unless it is wanted again', async ({ meta, other }) => {
    await meta.setReplicationRules([rule('site')])
    const items = [{ repository: 'a/b', reference: 'sha256:1' }]
    const once = { bytes: 0, blobs: 0, next: 'forgotten' } as const
    await meta.queueReplications('site', items)
    const taken = (await take(meta))!
    await other.queueReplications('site', items)
    assert.equal(await meta.endReplication(taken, once), 'waiting')
    assert.equal(await meta.endReplication((await take(meta))!, once), 'done')
    assert.deepEqual(await words(meta), [])
  })

  check('a registry that is away rests, longer each time, until it is back or somebody says so', async (under) => {
    const { meta, other, setTime } = under
    await meta.setReplicationRules([rule('site'), rule('other')])
    await meta.putManifest('a/b', manifest({ content: 'x', tags: ['1'] }))
    const rest = (wait?: number) => meta.restReplication('site', { first: 1000, most: 10_000, wait, failure: 'away' })
    const until = async () => (await other.listReplicationRules())[1]!.restsUntil! - NOW
    await rest()
    assert.deepEqual([await until(), await other.dueReplications(), await take(other)], [1000, ['other'], undefined])
    await rest()
    assert.equal(await until(), 2000)
    await rest(5000)
    assert.equal(await until(), 5000)
    await rest(1e9)
    assert.equal(await until(), 10_000)
    await setTime(NOW + 10_000)
    assert.ok(await take(other))
    await other.endRest('site')
    const { restsUntil, failure } = (await meta.listReplicationRules())[1]!
    assert.deepEqual([restsUntil, failure], [undefined, undefined])
    await rest()
    await other.as({ actor: 'user:ann' }).runReplication('site')
    assert.deepEqual(await meta.dueReplications(), ['other', 'site'])
    const [line] = await meta.listAudit({ limit: 1 })
    assert.deepEqual([line!.actor, line!.action, line!.target], ['user:ann', 'replication.run', 'site'])
    await meta.restReplication('gone', { first: 1, most: 1, failure: 'away' })
  })

  check('tags lead to what they hold: through indexes, and to what refers to it', async ({ meta }: Under) => {
    const platform = manifest({ content: 'platform' })
    await meta.putManifest('a/b', platform)
    await meta.putManifest('a/b', manifest({ content: 'index', children: [platform.digest], tags: ['1', '2'] }))
    await meta.putManifest('c/d', manifest({ content: 'platform', tags: ['elsewhere'] }))
    const sbom = manifest({ content: 'sbom', subject: platform.digest })
    const signature = manifest({ content: 'signature', subject: sbom.digest, tags: ['own'] })
    for (const one of [sbom, signature]) await meta.putManifest('a/b', one)
    const over = async (digest: typeof sbom.digest, limit = 10) =>
      (await meta.tagsOver('a/b', digest, limit)).toSorted()
    assert.deepEqual(await over(platform.digest), ['1', '2'])
    assert.deepEqual(await over(signature.digest), ['1', '2', 'own'])
    assert.equal((await over(signature.digest, 2)).length, 2)
    assert.deepEqual(
      [await over(manifest({ content: 'none' }).digest), await meta.tagsOver('x', sbom.digest, 1)],
      [[], []],
    )
  })
}
