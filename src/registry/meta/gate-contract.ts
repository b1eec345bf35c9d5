import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import type { Digest } from '#spec'
import type { ReleaseGate } from '../decide/index.ts'
import { blob, type Check, DAY, image, index, manifest, NOW, push } from './kit-contract.ts'
import type { MetaStore } from './meta-store.ts'
import { MOVED } from './transfer-tables.ts'

const GATE: ReleaseGate = {
  ...{ kind: 'gate', pattern: 'a/**', severity: 'high', onlyFixable: true, grace: DAY, unscanned: { wait: 5000 } },
  ...{ signers: ['-----BEGIN PUBLIC KEY-----'], exempt: ['user:ann', 'robot:a+scan'] },
}
const EXCEPTION = { vulnerability: 'CVE-2024-1', pattern: 'a/**', reason: 'not reachable', lasts: DAY }
const LEASE = { lease: 60_000, analyser: '1' }

const lines = async (meta: MetaStore, action: string) =>
  (await meta.listAudit({ action, limit: 100 })).map((line) => [line.action, line.target, line.detail]).toReversed()

async function addHook(meta: MetaStore, events: string[]) {
  await meta.addHook({ id: 'h', name: 'h', url: 'https://h.example/', pattern: '**', events, secret: 's' })
}

const told = async (meta: MetaStore) =>
  (await meta.listDeliveries({ limit: 100 })).map(({ action, target }) => `${action} ${target}`).toReversed()

export function gateContract(check: Check): void {
  check('the generation rises once with each change that gates judge by, and with nothing else', async (under) => {
    const { meta, other } = under
    let generation = await meta.gateGeneration()
    const rises = async (by: number, change: () => Promise<unknown>) => {
      const result = await change()
      assert.equal(await other.gateGeneration(), generation + by, String(change))
      generation += by
      return result
    }
    const one = image('one', { tags: ['t'] })
    const whole = index('whole', [one.digest])
    for (const each of [one, whole]) await rises(0, () => meta.putManifest('a/b', each))
    const gate = (await rises(1, () => meta.addPolicy(GATE))) as number
    const keep = await rises(0, () => meta.addPolicy({ kind: 'keep', pattern: '**', tags: ['*'], last: 1 }))
    const exception = await rises(1, () => meta.addException(EXCEPTION))
    await rises(1, () => meta.setImageState('a/b', whole.digest, { kind: 'quarantined', reason: 'r' }))
    await rises(1, () => meta.setImageState('a/b', whole.digest, { kind: 'none', reason: 'r' }))
    await rises(0, () => meta.setImageState('a/b', whole.digest, { kind: 'none', reason: 'r' }))
    const taken = (await rises(0, () => meta.takeScan(LEASE))) as Awaited<ReturnType<MetaStore['takeScan']>>
    const inventory = Buffer.from('i')
    await rises(1, () => meta.endScan(taken!, { outcome: 'scanned', analyser: '1', inventory }))
    await rises(0, () => meta.tellRelease('a/b', one.digest, { outcome: 'blocked', detail: '' }))
    await rises(1, () => meta.removeException(exception as number))
    await rises(0, () => meta.removeException(exception as number))
    await rises(1, () => meta.renameRepository('a/b', 'c/d', { redirect: 0 }))
    await rises(1, () => meta.removePolicy(gate))
    await rises(0, () => meta.removePolicy(keep as number))
    const found = [
      await other.findManifest('c/d', { tag: 't' }),
      await other.findManifest('c/d', { digest: one.digest }),
    ]
    assert.deepEqual(
      found.map((each) => each?.gate),
      Array(2).fill(generation),
    )
  })

  check('gates are kept as they are, judge nothing that comes, and the log says what they are', async (under) => {
    const { meta, other } = under
    const id = await meta.addPolicy(GATE)
    const plain = await meta.addPolicy({ kind: 'gate', pattern: '**' })
    assert.deepEqual(await other.listPolicies(), [
      { ...GATE, id },
      { kind: 'gate', pattern: '**', id: plain },
    ])
    assert.deepEqual((await other.gateRules()).gates, await meta.listPolicies())
    assert.equal(await meta.putManifest('a/b', image('one', { tags: ['t'] })), undefined)
    assert.equal(await meta.putManifest('a/b', image('two', { tags: ['t'] })), undefined)
    assert.equal(await meta.deleteTag('a/b', 't', 'ann'), true)
    await meta.removePolicy(plain)
    assert.deepEqual(await lines(other, 'policy.*'), [
      [
        ...['policy.add', 'a/**'],
        `${id}: gate severity=high onlyFixable=true grace=86400000 unscanned=wait 5000 signers=1 exempt=user:ann,robot:a+scan`,
      ],
      ['policy.add', '**', `${plain}: gate`],
      ['policy.remove', '**', `${plain}: gate`],
    ])
    const { kind: _, ...rule } = GATE
    await meta.addPolicy({ ...rule, kind: 'gate', unscanned: 'block', pattern: 'c' })
    assert.deepEqual((await other.gateRules()).gates.map(({ pattern, unscanned }) => [pattern, unscanned]).at(-1), [
      'c',
      'block',
    ])
  })

  check('what a gate judges by comes in one reading', async (under) => {
    const { meta, other, setTime } = under
    const [one, absent] = [image('one'), digestOf('absent')]
    const about = image('about', { subject: one.digest })
    const whole = index('whole', [one.digest, absent])
    await meta.putManifest('a/b', one)
    await meta.putManifest('a/b', about)
    await meta.putCached('a/b', whole)
    await meta.putManifest('c/d', image('elsewhere'))
    await setTime(NOW + 7)
    const { bytes, ...rest } = (await other.releaseFacts('a/b', whole.digest))!
    assert.equal(Buffer.from(bytes).toString(), 'whole')
    assert.deepEqual(rest, { now: NOW + 7, mediaType: whole.mediaType, children: [one.digest], exceptions: [] })
    const facts = (await other.releaseFacts('a/b', about.digest))!
    assert.deepEqual(facts.children, [])
    assert.equal(facts.scan?.state, 'waiting')
    assert.equal(await other.releaseFacts('c/d', one.digest), undefined)
    assert.equal(await other.releaseFacts('none', one.digest), undefined)
    const taken = (await meta.takeScan(LEASE))!
    await meta.endScan(taken, { outcome: 'scanned', analyser: '1', inventory: Buffer.from('i') })
    const [{ inventory: _, ...due } = assert.fail()] = await meta.listUnmatched('v', { limit: 1 })
    await meta.putResults([{ ...due, advisories: 'v', bytes: Buffer.from('result') }])
    const { scan } = (await other.releaseFacts('a/b', taken.digest))!
    assert.equal(Buffer.from(scan!.result!.bytes).toString(), 'result')
    await meta.as({ actor: 'user:ann' }).setImageState('a/b', one.digest, { kind: 'released', reason: 'seen' })
    const state = { kind: 'released', reason: 'seen', author: 'user:ann', at: NOW + 7 }
    assert.deepEqual((await other.releaseFacts('a/b', one.digest))!.state, state)
  })

  check('exceptions are for the repositories of their pattern, and end', async (under) => {
    const { meta, other, setTime } = under
    const ann = meta.as({ actor: 'user:ann' })
    const id = await ann.addException({ ...EXCEPTION, package: 'deb/openssl' })
    const ids = [id]
    for (const [pattern, lasts] of [
      ['a/web', 2 * DAY],
      ['*/b', 3 * DAY],
      ['c/**', DAY],
    ] as const)
      ids.push(await meta.addException({ ...EXCEPTION, pattern, lasts }))
    for (const repository of ['a/b', 'a/web']) await meta.putManifest(repository, image('one'))
    const of = async (repository: string) =>
      (await other.releaseFacts(repository, digestOf('one')))!.exceptions.map((one) => one.id)
    assert.deepEqual(await of('a/b'), [ids[0], ids[2]])
    assert.deepEqual(await of('a/web'), [ids[0], ids[1]])
    const { lasts: _, ...kept } = EXCEPTION
    assert.deepEqual((await other.listExceptions())[0], {
      ...{ ...kept, id, package: 'deb/openssl', author: 'user:ann', createdAt: NOW, expiresAt: NOW + DAY },
    })
    await setTime(NOW + DAY)
    assert.deepEqual(await of('a/b'), [ids[2]])
    assert.deepEqual(await of('a/web'), [ids[1]])
    assert.equal(await meta.removeException(ids[2]!), true)
    assert.equal(await other.removeException(ids[2]!), false)
    assert.deepEqual(await of('a/b'), [])
    assert.deepEqual(
      (await other.listExceptions()).map((one) => one.id),
      [ids[0], ids[1], ids[3]],
    )
    assert.deepEqual((await lines(other, 'exception.*')).at(0), [
      ...['exception.add', 'a/**', `${id}: CVE-2024-1 deb/openssl until 2023-11-15: not reachable`],
    ])
    assert.equal((await lines(other, 'exception.remove')).length, 1)
    await setTime(NOW + 31 * DAY)
    assert.deepEqual(
      (await other.listExceptions()).map((one) => one.id),
      [ids[1]],
    )
    await meta.expireUploads()
    assert.equal(await meta.removeException(id), false, 'it is gone')
    assert.ok((await meta.addException(EXCEPTION)) > Math.max(...ids), 'an ID is never given again')
  })

  check('an index is quarantined with all in it, and what was said stays when the image goes', async (under) => {
    const { meta, other } = under
    const [one, two, shared] = [image('one'), image('two'), image('shared')]
    for (const each of [one, two, shared]) await meta.putManifest('a/b', each)
    const [inner, late] = [index('inner', [two.digest]), image('late')]
    const whole = index('whole', [one.digest, inner.digest, late.digest])
    await meta.putManifest('a/b', inner)
    await meta.putCached('a/b', whole)
    await meta.putManifest('c/d', one)
    const ann = other.as({ actor: 'user:ann', address: '127.0.0.1' })
    assert.equal(
      await ann.setImageState('c/d', whole.digest, { kind: 'quarantined', reason: 'x' }),
      'absent',
      'it is not there',
    )
    assert.deepEqual((await meta.gateRules()).withStates, new Set())
    assert.equal(await ann.setImageState('a/b', whole.digest, { kind: 'quarantined', reason: 'malware' }), 'changed')
    assert.deepEqual([...(await meta.gateRules()).withStates], ['a/b'])
    await meta.putManifest('a/b', late)
    const kindOf = async (repository: string, digest: Digest) =>
      (await meta.releaseFacts(repository, digest))!.state?.kind
    const kinds = async () =>
      await Promise.all([whole, inner, one, two, late, shared].map(({ digest }) => kindOf('a/b', digest)))
    assert.deepEqual(await kinds(), [...Array(5).fill('quarantined'), undefined])
    assert.equal(await kindOf('c/d', one.digest), undefined)
    await meta.deleteManifest('a/b', whole.digest, 'ann')
    await meta.deleteManifest('a/b', one.digest, 'ann')
    await meta.putManifest('a/b', one)
    assert.equal(await kindOf('a/b', one.digest), 'quarantined', 'it came again')
    assert.equal(await ann.setImageState('a/b', one.digest, { kind: 'released', reason: 'a test' }), 'changed')
    assert.equal(await kindOf('a/b', one.digest), 'released')
    await meta.renameRepository('a/b', 'e/f', { redirect: 0 })
    assert.equal(await kindOf('e/f', one.digest), 'released')
    assert.equal(await kindOf('e/f', two.digest), 'quarantined')
    assert.equal(await ann.setImageState('e/f', whole.digest, { kind: 'none', reason: 'gone' }), 'changed')
    assert.equal(await ann.setImageState('e/f', whole.digest, { kind: 'none', reason: 'gone' }), 'absent')
    assert.equal(await ann.setImageState('e/f', inner.digest, { kind: 'none', reason: 'seen' }), 'changed')
    assert.equal(await kindOf('e/f', two.digest), undefined)
    assert.deepEqual(await lines(meta, 'image.*'), [
      ['image.quarantine', `a/b@${whole.digest}`, 'malware'],
      ['image.release', `a/b@${one.digest}`, 'a test'],
      ['image.unset', `e/f@${whole.digest}`, 'gone'],
      ['image.unset', `e/f@${inner.digest}`, 'seen'],
    ])
    const [line] = await meta.listAudit({ action: 'image.release', limit: 1 })
    assert.deepEqual([line!.actor, line!.address], ['user:ann', '127.0.0.1'])
  })

  check('owners neither end nor take over what somebody else quarantined, in whatever index it is', async (under) => {
    const { meta, other } = under
    const [one, two] = [image('one'), image('two')]
    for (const each of [one, two]) await meta.putManifest('a/b', each)
    const deep = index('deep', [two.digest])
    const whole = index('whole', [one.digest, deep.digest])
    for (const each of [deep, whole]) await meta.putManifest('a/b', each)
    const own = 'user:ann'
    const ann = other.as({ actor: own })
    const denied = { code: 'DENIED', message: /somebody else quarantined .*: only administrators can end that/ }
    const said = async (digest: Digest) => {
      const state = (await meta.releaseFacts('a/b', digest))?.state
      return state && [state.kind, state.author]
    }
    await meta.setImageState('a/b', two.digest, { kind: 'quarantined', reason: 'malware' })
    const quarantine = { kind: 'quarantined', reason: 'mine', own } as const
    assert.equal(await ann.setImageState('a/b', two.digest, quarantine), 'unchanged')
    assert.equal(await ann.setImageState('a/b', whole.digest, quarantine), 'changed')
    assert.deepEqual(await said(two.digest), ['quarantined', 'operator'], 'it has its author still')
    assert.deepEqual(await said(one.digest), ['quarantined', own])
    for (const kind of ['released', 'none'] as const) {
      for (const digest of [two.digest, deep.digest, whole.digest]) {
        await assert.rejects(ann.setImageState('a/b', digest, { kind, reason: 'x', own }), denied)
        await assert.rejects(
          ann.setImageState('a/b', digest, { kind, reason: 'x', own, only: 'quarantined' }),
          denied,
          'also when only that is to end',
        )
      }
    }
    assert.deepEqual(await said(one.digest), ['quarantined', own], 'what was refused changed nothing')
    await meta.deleteManifest('a/b', two.digest, 'ann')
    const clear = { kind: 'none', reason: 'x', own } as const
    for (const digest of [two.digest, whole.digest]) {
      await assert.rejects(ann.setImageState('a/b', digest, clear), denied, 'also of what went')
    }
    assert.equal(await ann.setImageState('a/b', one.digest, clear), 'changed', 'an own one ends')
    assert.equal(await meta.setImageState('a/b', whole.digest, { kind: 'none', reason: 'over' }), 'changed')
    assert.equal(await said(two.digest), undefined)
    assert.equal(await said(whole.digest), undefined)
  })

  check('what is to end is ended alone', async ({ meta, other }) => {
    const one = image('one')
    await meta.putManifest('a/b', one)
    const end = (only: 'quarantined' | 'released') =>
      other.setImageState('a/b', one.digest, { kind: 'none', reason: 'x', only })
    for (const [kind, wrong] of [
      ['quarantined', 'released'],
      ['released', 'quarantined'],
    ] as const) {
      await meta.setImageState('a/b', one.digest, { kind, reason: 'r' })
      assert.equal(await end(wrong), 'unchanged')
      assert.equal((await meta.releaseFacts('a/b', one.digest))!.state?.kind, kind)
      assert.equal(await end(kind), 'changed')
      assert.equal((await meta.releaseFacts('a/b', one.digest))!.state, undefined)
    }
  })

  check('a quarantine that was left at a name stays when a repository gets that name', async (under) => {
    const { meta, other, setTime } = under
    const [one, two, three] = [image('one'), image('two'), image('three')]
    for (const each of [one, two, three]) {
      for (const repository of ['a/b', 'a/c']) await meta.putManifest(repository, each)
    }
    const ann = meta.as({ actor: 'user:ann' })
    const release = { kind: 'released', reason: 'ours' } as const
    const quarantine = { kind: 'quarantined', reason: 'bad' } as const
    await meta.setImageState('a/c', one.digest, quarantine)
    await ann.setImageState('a/b', one.digest, release)
    await ann.setImageState('a/c', two.digest, release)
    await meta.setImageState('a/b', two.digest, quarantine)
    await ann.setImageState('a/c', three.digest, quarantine)
    await meta.setImageState('a/b', three.digest, quarantine)
    for (const each of [one, two, three]) await meta.deleteManifest('a/c', each.digest, 'ann')
    await setTime(NOW + DAY)
    await meta.condemnBlobs(0)
    assert.equal(await ann.renameRepository('a/b', 'a/c', { redirect: 0 }), 'renamed', 'the name is free')
    const said = []
    for (const { digest } of [one, two, three]) {
      const { kind, author } = (await other.releaseFacts('a/c', digest))!.state!
      said.push([kind, author])
    }
    assert.deepEqual(said, [
      ['quarantined', 'operator'],
      ['quarantined', 'operator'],
      ['quarantined', 'operator, user:ann'],
    ])
    const clear = { kind: 'none', reason: 'x', own: 'user:ann' } as const
    await assert.rejects(ann.setImageState('a/c', three.digest, clear), { code: 'DENIED' })
  })

  check('a repository that gets another name keeps what is said of it by name', async ({ meta, other }) => {
    const one = image('one')
    await meta.putManifest('a/b', one)
    await meta.addPolicy({ kind: 'gate', pattern: 'a/b' })
    await meta.addException({ ...EXCEPTION, pattern: 'a/b' })
    await meta.setImageState('a/b', one.digest, { kind: 'quarantined', reason: 'r' })
    await meta.renameRepository('a/b', 'c/d', { redirect: 0 })
    assert.equal((await other.gateRules()).gates[0]!.pattern, 'c/d')
    const { exceptions, state } = (await other.releaseFacts('c/d', one.digest))!
    assert.deepEqual([exceptions.length, state?.kind], [1, 'quarantined'])
    await meta.putManifest('a/b', one)
    const before = (await other.releaseFacts('a/b', one.digest))!
    assert.deepEqual([before.exceptions, before.state], [[], undefined])
  })
}

/** Has so many manifests like one that came from an upstream. */
async function multiply(meta: MetaStore, digest: Digest, times: number): Promise<void> {
  const table = (name: string) => MOVED.find((one) => one.name === name)!
  const manifests = await meta.readRows(table('manifests'), { limit: 99 })
  const id = manifests.find((row) => row['digest'] === digest)!['id']!
  const original = (await meta.readRow(table('manifests'), { id }))!
  const copies = Array.from({ length: times }, (_, number) => ({
    id: `${1000 + number}`,
    digest: digestOf(`${number}`),
  }))
  await meta.putRows(
    table('manifests'),
    copies.map((copy) => ({ ...original, ...copy })),
  )
  for (const name of ['manifest_blobs', 'cached_blobs']) {
    const row = (await meta.readRows(table(name), { limit: 99 })).find((one) => one['manifest_id'] === id)!
    await meta.putRows(
      table(name),
      copies.map((copy) => ({ ...row, manifest_id: copy.id })),
    )
  }
}

export function gateRecordContract(check: Check): void {
  check('manifests with a blob are found in their repository, the newest first', async (under) => {
    const { meta, other } = under
    for (const repository of ['a/b', 'c/d']) await push(meta, repository, 'layer')
    const of = async (repository: string, content: string, limit = 9) =>
      await other.manifestsOfBlob(repository, digestOf(content), limit)
    assert.deepEqual(await of('a/b', 'layer'), [])
    const images = ['one', 'two', 'three'].map((content) => image(content, { blobs: [blob('layer')] }))
    for (const one of images) await meta.putManifest('a/b', one)
    await meta.putManifest('c/d', image('else', { blobs: [blob('layer')] }))
    const expecting = image('expecting', { blobs: [blob('layer'), blob('expected')] })
    await meta.putCached('a/b', expecting)
    const [one, two, three] = images.map(({ digest }) => digest)
    assert.deepEqual(await of('a/b', 'layer'), [expecting.digest, three, two, one])
    assert.deepEqual(await of('a/b', 'layer', 2), [expecting.digest, three])
    assert.deepEqual(await of('a/b', 'expected'), [expecting.digest])
    assert.deepEqual(await of('c/d', 'layer'), [digestOf('else')])
    assert.deepEqual(await of('c/d', 'expected'), [])
    assert.deepEqual(await of('none', 'layer'), [])
  })

  check('a blob that very many images have is found as well', async ({ meta, other }) => {
    await push(meta, 'a/b', 'layer')
    await push(meta, 'c/d', 'layer')
    const last = image('last', { blobs: [blob('layer')] })
    await meta.putManifest('c/d', last)
    await meta.putCached('c/d', image('expecting', { blobs: [blob('layer')] }))
    await meta.putCached('a/b', image('many', { blobs: [blob('layer')] }))
    await multiply(meta, digestOf('many'), 1000)
    assert.deepEqual(await other.manifestsOfBlob('c/d', digestOf('layer'), 9), [digestOf('expecting'), last.digest])
    assert.equal((await other.manifestsOfBlob('a/b', digestOf('layer'), 9)).length, 9)
    assert.deepEqual(await other.manifestsOfBlob('c/d', digestOf('layer'), 1), [digestOf('expecting')])
  })

  check('images of the repositories of patterns are listed in pages', async ({ meta, other }) => {
    const images = ['one', 'two', 'three'].map((content) => image(content))
    const repositories = ['a/b', 'a/c', 'b/c', 'd']
    for (const repository of repositories) {
      for (const one of images) await meta.putManifest(repository, one)
      await meta.putManifest(repository, index('index', [images[0]!.digest]))
      await meta.putManifest(repository, manifest({ content: 'else' }))
    }
    const sorted = images.map(({ digest }) => digest).toSorted()
    const all = (names: string[]) => names.flatMap((name) => sorted.map((digest) => `${name} ${digest}`))
    for (const [patterns, names] of [
      [['**'], repositories],
      [
        ['a/*', 'd', 'a/c'],
        ['a/b', 'a/c', 'd'],
      ],
      [['x'], []],
      [[], []],
    ] as [string[], string[]][]) {
      for (const limit of [2, 3, 100]) {
        const listed: { repository: string; digest: Digest }[] = []
        for (let more = true; more; ) {
          const last = listed.at(-1)
          const page = await other.gatedImages(patterns, { ...(last && { last }), limit })
          listed.push(...page)
          more = page.length === limit
        }
        assert.deepEqual(
          listed.map(({ repository, digest }) => `${repository} ${digest}`),
          all(names),
          `${patterns} ${limit}`,
        )
      }
    }
  })

  check('that an image is blocked, and let pass again, is told once', async ({ meta, other }) => {
    await addHook(meta, ['image.*'])
    const [one, fine] = [image('one'), image('fine')]
    for (const each of [one, fine]) await meta.putManifest('a/b', each)
    const target = `a/b@${one.digest}`
    const tell = (store: MetaStore, outcome: 'allowed' | 'blocked', detail = 'd', digest = one.digest) =>
      store.tellRelease('a/b', digest, { outcome, detail })
    assert.equal(await tell(meta, 'allowed', '', fine.digest), false)
    assert.equal(await tell(meta, 'allowed'), false)
    const both = await Promise.all([tell(meta, 'blocked', '2 critical'), tell(other, 'blocked', '2 critical')])
    assert.deepEqual(both.toSorted(), [false, true])
    assert.equal(await tell(meta, 'blocked', '3 critical'), false)
    assert.equal(await tell(other, 'allowed', 'none'), true)
    assert.equal(await tell(meta, 'allowed', 'none'), false)
    assert.equal(await tell(meta, 'blocked', 'gone', digestOf('none')), false)
    assert.deepEqual(await lines(other, 'image.*'), [
      ['image.blocked', target, '2 critical'],
      ['image.allowed', target, 'none'],
    ])
    assert.deepEqual(await told(other), [`image.blocked ${target}`, `image.allowed ${target}`])
    const [delivery] = await meta.takeDeliveries('h', { lease: 1000, limit: 1 })
    assert.deepEqual(delivery!.data, {
      ...{ repository: 'a/b', digest: one.digest, detail: '2 critical', actor: 'operator' },
    })
    await tell(meta, 'blocked')
    await meta.deleteManifest('a/b', one.digest, 'ann')
    await meta.putManifest('a/b', one)
    assert.equal(await tell(meta, 'blocked'), true, 'another push, another judgement')
  })

  check('who got a blocked image is on record, once a day', async ({ meta, other, setTime }) => {
    await meta.putManifest('a/b', image('one'))
    const pull = { repository: 'a/b', digest: digestOf('one'), actor: 'robot:a+scan', detail: '1: critical' }
    await Promise.all([meta.recordExemptPull({ ...pull, address: '::1' }), other.recordExemptPull(pull)])
    await other.recordExemptPull({ ...pull, actor: 'user:ann' })
    await setTime(NOW + DAY - 1)
    await meta.recordExemptPull(pull)
    assert.equal((await meta.listAudit({ action: 'image.exempt', limit: 9 })).length, 2)
    await setTime(NOW + DAY)
    await meta.recordExemptPull(pull)
    const all = await meta.listAudit({ action: 'image.exempt', limit: 9 })
    assert.deepEqual(
      all.map(({ actor, target, detail }) => [actor, target, detail]),
      ['robot:a+scan', 'user:ann', 'robot:a+scan'].map((actor) => [actor, `a/b@${digestOf('one')}`, '1: critical']),
    )
    await setTime(NOW + 3 * DAY)
    await meta.expireUploads()
    await meta.recordExemptPull(pull)
    assert.equal((await meta.listAudit({ action: 'image.exempt', limit: 9 })).length, 4)
  })

  check('that an exception expires soon is told once', async ({ meta, other, setTime }) => {
    await addHook(meta, ['exception.expiring'])
    for (const lasts of [DAY, 3 * DAY, 30 * DAY]) await meta.addException({ ...EXCEPTION, lasts })
    const counts = await Promise.all([meta.tellExpiring(DAY), other.tellExpiring(DAY)])
    assert.deepEqual(counts.toSorted(), [0, 1])
    await setTime(NOW + 2 * DAY)
    assert.equal(await other.tellExpiring(14 * DAY), 1)
    assert.equal(await meta.tellExpiring(14 * DAY), 0)
    assert.deepEqual(await told(meta), ['exception.expiring a/**', 'exception.expiring a/**'])
    assert.equal((await lines(meta, 'exception.expiring')).length, 2)
  })
}
