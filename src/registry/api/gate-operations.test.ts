/** Gates, exceptions, scans and quarantine by HTTP, and the same by the client that the table makes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDigest } from '#spec'
import { INDEX_TYPE, MANIFEST_TYPE, startRegistry } from '../../../test/kit/registry-client.ts'
import { storeScans } from '../../../test/kit/stored-scans.ts'
import type { GateRule, ImageReport } from '../policies/index.ts'
import { openRemoteAdmin } from './index.ts'

const DAY = 86_400_000
const PASSWORDS = { root: 'password-of-root', own: 'password-of-own', ann: 'password-of-ann', eve: 'password-of-eve' }
type Name = keyof typeof PASSWORDS

/** The organisation acme, of own; ann may read acme/web. */
async function company() {
  await using opened = new AsyncDisposableStack()
  const served = opened.use(await startRegistry({ anonymous: 'none' }))
  const { users, organisations } = served.registry
  for (const [name, password] of Object.entries(PASSWORDS)) await users.add(name, password, { admin: name === 'root' })
  await organisations.add('acme', { owner: 'own' })
  await users.grant('ann', 'acme/web', 'read')
  const adminOf = async (name: Name) =>
    await openRemoteAdmin({
      name: served.address,
      async send({ method, path, body }) {
        const headers = body === undefined ? {} : { 'content-type': 'application/json' }
        const login = `${name}:${PASSWORDS[name]}`
        const answer = await served.request(method, path, { login, headers, body })
        const mediaType = answer.headers['content-type']
        return { status: answer.status, mediaType, body: answer.body.toString() }
      },
    })
  const push = (content: string, tag: string) =>
    served.image('acme/web', content, { tag, login: `own:${PASSWORDS.own}` })

  const parts = opened.move()
  const scanAll = () => storeScans(served.directory)
  return { ...served, adminOf, push, scanAll, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

test('a gate is made by owners for what is theirs, comes back as it was said, and goes', async () => {
  await using registry = await company()
  const own = await registry.adminOf('own')
  const rule: GateRule = {
    severity: 'high',
    onlyFixable: true,
    grace: 7 * DAY,
    unknown: 'low',
    notCovered: 'block',
    exploited: 'allow',
    unscanned: { wait: 5000 },
    stale: DAY,
    staleAct: 'block',
    exempt: ['user:ann'],
  }
  const id = await own.policies.gate('acme/**', rule)
  const plain = await own.policies.gate('acme/plain')
  const listed = await own.policies.list()
  assert.deepEqual(JSON.parse(JSON.stringify(listed)), [
    { id, kind: 'gate', pattern: 'acme/**', ...rule },
    { id: plain, kind: 'gate', pattern: 'acme/plain' },
  ])
  assert.deepEqual(await (await registry.adminOf('ann')).policies.list(), [])
  const denied = { code: 'DENIED', message: /policies\.gate is for/ }
  await assert.rejects(own.policies.gate('**'), denied)
  await assert.rejects((await registry.adminOf('ann')).policies.gate('acme/web'), denied)
  await assert.rejects(own.policies.gate('acme/x', { signers: ['no key'] }), {
    code: 'INVALID_ARGUMENT',
    message: /signer key 1/,
  })
  await assert.rejects(own.policies.gate('acme/x', { severity: 'bad' } as object), {
    message: /severity: expects one of/,
  })
  await assert.rejects(own.policies.gate('acme/x', { sverity: 'high' } as object), { message: /mean severity/ })
  await own.policies.remove(id)
  assert.deepEqual(
    (await own.policies.list()).map((one) => one.id),
    [plain],
  )
})

test('exceptions are made, seen and ended by owners of the repositories', async () => {
  await using registry = await company()
  const [root, own, ann] = [
    await registry.adminOf('root'),
    await registry.adminOf('own'),
    await registry.adminOf('ann'),
  ]
  const exception = { pattern: 'acme/**', reason: 'never called', lasts: DAY }
  const id = await own.exceptions.add('CVE-2024-1', exception)
  const all = await root.exceptions.add('CVE-2024-2', { ...exception, pattern: '**', package: 'deb/libssl3' })
  const words = async (admin: typeof own) =>
    (await admin.exceptions.list()).map(({ id, vulnerability, package: of, author }) => [id, vulnerability, of, author])
  assert.deepEqual(await words(own), [[id, 'CVE-2024-1', undefined, 'user:own']])
  assert.deepEqual(await words(ann), [])
  assert.deepEqual(await words(root), [
    [id, 'CVE-2024-1', undefined, 'user:own'],
    [all, 'CVE-2024-2', 'deb/libssl3', 'user:root'],
  ])
  assert.deepEqual(await root.exceptions.list(), await registry.registry.exceptions.list())
  await assert.rejects(own.exceptions.add('CVE-2024-2', { ...exception, pattern: '**' }), { code: 'DENIED' })
  await assert.rejects(own.exceptions.add('CVE-2024-2', { ...exception, reason: '' }), { code: 'INVALID_ARGUMENT' })
  const refusals = []
  for (const one of [all, 999]) {
    refusals.push(
      await own.exceptions.remove(one).catch(({ code, message }: Error & { code: string }) => [code, message]),
    )
  }
  assert.deepEqual(refusals[0], refusals[1], 'what exists looks like what does not')
  await assert.rejects(root.exceptions.remove(999), { code: 'NOT_FOUND', next: { act: 'list-registry-exceptions' } })
  await own.exceptions.remove(id)
  assert.deepEqual(await words(own), [])
})

test('a report is for whoever may pull, from the scan that waits to what was found, with exceptions as such', async () => {
  await using registry = await company()
  const [own, ann, eve] = [await registry.adminOf('own'), await registry.adminOf('ann'), await registry.adminOf('eve')]
  const { digest } = await registry.push('one', 'v1')
  const [waiting] = await Array.fromAsync(ann.scans.report('acme/web:v1'))
  assert.deepEqual([waiting!.digest, waiting!.state, waiting!.result], [digest, 'waiting', undefined])
  assert.equal(typeof waiting!.queuedAt, 'number')
  await registry.scanAll()
  await own.exceptions.add('GHSA-aaaa-bbbb-cccc', { pattern: 'acme/*', reason: 'never called', lasts: DAY })
  await own.exceptions.add('CVE-2024-2', { pattern: 'acme/web', package: 'npm/@scope/lodash', reason: 'x', lasts: DAY })
  await own.exceptions.add('CVE-2024-2', { pattern: 'acme/other', reason: 'elsewhere', lasts: DAY })
  for (const name of ['acme/web:v1', `acme/web@${digest}`]) {
    const [report, ...others] = await Array.fromAsync(ann.scans.report(name))
    assert.deepEqual([report!.state, others], ['scanned', []])
    assert.deepEqual(
      report!.result!.findings.map(({ id, package: of, severity, suppressed }) => [
        ...[id, of.name, severity],
        suppressed && [suppressed.by, suppressed.reason, suppressed.author],
      ]),
      [
        ['CVE-2024-1', 'libssl3', 'critical', ['exception', 'never called', 'user:own']],
        ['CVE-2024-2', 'libssl3', 'high', undefined],
        ['CVE-2024-2', '@scope/lodash', 'high', ['exception', 'x', 'user:own']],
      ],
    )
    assert.match(report!.result!.findings[0]!.suppressed!.expires!, /^\d{4}-\d\d-\d\d$/)
    assert.equal(report!.result!.inventory.manifest, digest)
    const [local] = await Array.fromAsync(registry.registry.scans.report(name))
    assert.deepEqual(
      JSON.parse(JSON.stringify(report)),
      JSON.parse(JSON.stringify(local)),
      'nothing is lost on the way',
    )
  }
  const refusals = []
  for (const name of ['acme/web:v1', 'acme/web:none', 'acme/none:v1']) {
    refusals.push(
      await Array.fromAsync(eve.scans.report(name)).catch(
        ({ code, message }: Error & { code: string }) => `${code} ${message}`,
      ),
    )
  }
  assert.deepEqual([...new Set(refusals)], ['DENIED only those who may pull an image may read its report'])
  await assert.rejects(Array.fromAsync(ann.scans.report('acme/web:none')), { code: 'MANIFEST_NOT_FOUND' })
  await assert.rejects(Array.fromAsync(ann.scans.report('acme/web')), {
    code: 'INVALID_REFERENCE',
    message: /not an image of a repository/,
  })
})

test('an image is looked at again when its owner wants that', async () => {
  await using registry = await company()
  const [own, ann] = [await registry.adminOf('own'), await registry.adminOf('ann')]
  const { digest } = await registry.push('one', 'v1')
  await registry.scanAll()
  assert.equal(await own.scans.run('acme/web:v1'), 1)
  const [again] = await Array.fromAsync(own.scans.report(`acme/web@${digest}`))
  assert.deepEqual([again!.state, again!.result?.findings.length], ['waiting', 3], 'what was found stays meanwhile')
  await assert.rejects(ann.scans.run('acme/web:v1'), { code: 'DENIED' })
  await assert.rejects(own.scans.run('acme/web:none'), { code: 'MANIFEST_NOT_FOUND' })
  await assert.rejects(own.scans.run(`acme/web@sha256:${'0'.repeat(64)}`), { code: 'MANIFEST_NOT_FOUND' })
})

test('a report on an index has each of its images that is there, with its platform, in pages too', async () => {
  await using registry = await company()
  const ann = await registry.adminOf('ann')
  const images = []
  for (const architecture of ['arm64', 'amd64', 's390x']) {
    const { descriptor } = await registry.push(architecture, architecture)
    images.push({ ...descriptor, platform: { os: 'linux', architecture } })
  }
  const provenance = (await registry.push('provenance', 'provenance')).descriptor
  const attestation = {
    ...{ ...provenance, platform: { os: 'unknown', architecture: 'unknown' } },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  }
  const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [...images, attestation] })
  const headers = { 'content-type': INDEX_TYPE }
  const login = `own:${PASSWORDS.own}`
  const put = await registry.request('PUT', '/v2/acme/web/manifests/all', { login, headers, body })
  assert.equal(put.status, 201)
  await registry.scanAll()
  const expected = images.map(({ digest, platform }) => [digest, `linux/${platform.architecture}`, 3])
  const words = (reports: ImageReport[]) =>
    reports.map(({ digest, platform, result }) => [digest, platform, result?.findings.length])
  assert.deepEqual(words(await Array.fromAsync(ann.scans.report('acme/web:all'))), expected)
  assert.deepEqual(words(await Array.fromAsync(registry.registry.scans.report('acme/web:all'))), expected)
  const first = await Array.fromAsync(ann.scans.report('acme/web:all', { limit: 1 }))
  assert.deepEqual(words(first), expected.slice(0, 1))
  const rest = await Array.fromAsync(ann.scans.report('acme/web:all', { after: first[0]!.digest }))
  assert.deepEqual(words(rest), expected.slice(1))
  await assert.rejects(Array.fromAsync(ann.scans.report('acme/web:all', { after: provenance.digest })), {
    code: 'MANIFEST_NOT_FOUND',
  })
  assert.equal(await (await registry.adminOf('own')).scans.run('acme/web:all'), 4)
  const gone = await registry.request('DELETE', `/v2/acme/web/manifests/${images[0]!.digest}`, { login })
  assert.equal(gone.status, 202)
  assert.deepEqual(words(await Array.fromAsync(ann.scans.report('acme/web:all'))), expected.slice(1))
})

test('quarantine and release are said by owners with a reason, for a digest, are on record, and end', async () => {
  await using registry = await company()
  const [own, ann] = [await registry.adminOf('own'), await registry.adminOf('ann')]
  const { digest } = await registry.push('one', 'v1')
  const said = async () => {
    const [report] = await Array.fromAsync(ann.scans.report(`acme/web@${digest}`))
    return report!.said && [report!.said.kind, report!.said.reason, report!.said.author]
  }
  assert.equal(await own.images.quarantine('acme/web:v1', 'stolen key'), digest)
  assert.deepEqual(await said(), ['quarantined', 'stolen key', 'user:own'])
  assert.equal(await own.images.release(`acme/web@${digest}`, 'harmless'), digest)
  assert.deepEqual(await said(), ['released', 'harmless', 'user:own'])
  const wrong = { code: 'NOT_FOUND', message: /acme\/web:v1 is not in quarantine/ }
  await assert.rejects(own.images.clear('acme/web:v1', 'as before', { kind: 'quarantined' }), wrong)
  assert.deepEqual(await said(), ['released', 'harmless', 'user:own'])
  assert.equal(await own.images.clear('acme/web:v1', 'as before', { kind: 'released' }), digest)
  assert.equal(await said(), undefined)
  for (const verb of ['quarantine', 'release', 'clear'] as const) {
    await assert.rejects(ann.images[verb]('acme/web:v1', 'x'), { code: 'DENIED' })
    await assert.rejects(own.images[verb]('acme/web:v1', ' '), { code: 'INVALID_ARGUMENT', message: /a reason is/ })
    await assert.rejects(own.images[verb]('acme/web:none', 'x'), { code: 'MANIFEST_NOT_FOUND' })
    await assert.rejects(own.images[verb](`acme/web@${parseDigest(`sha256:${'0'.repeat(64)}`)}`, 'x'), {
      code: 'MANIFEST_NOT_FOUND',
    })
  }
  const lines = await Array.fromAsync((await registry.adminOf('root')).audit.entries({ action: 'image.*' }))
  assert.deepEqual(
    lines.filter(({ outcome }) => outcome === 'done').map(({ actor, address, target }) => [actor, address, target]),
    Array.from({ length: 3 }, () => ['user:own', '127.0.0.1', `acme/web@${digest}`]),
  )
})

test('owners let nothing pass a gate of administrators, nor end a quarantine of somebody else', async () => {
  await using registry = await company()
  const [root, own] = [await registry.adminOf('root'), await registry.adminOf('own')]
  await registry.push('one', '1')
  const exception = { pattern: 'acme/*', reason: 'never called', lasts: DAY }
  for (const pattern of ['**', 'acme/**', '*/web']) {
    const id = await root.policies.gate(pattern)
    const isOwn = pattern === 'acme/**'
    const acts = [() => own.exceptions.add('CVE-2024-1', exception), () => own.images.release('acme/web:1', 'checked')]
    for (const act of acts) {
      if (isOwn) await act()
      else
        await assert.rejects(act, {
          code: 'DENIED',
          message: /belongs to the administrators; only they can let images past it/,
        })
    }
    await root.policies.remove(id)
  }
  await root.images.quarantine('acme/web:1', 'stolen')
  const denied = { code: 'DENIED', message: /somebody else quarantined acme\/web@sha256:/ }
  await assert.rejects(own.images.release('acme/web:1', 'checked'), denied)
  await assert.rejects(own.images.clear('acme/web:1', 'checked'), denied)
  await own.images.quarantine('acme/web:1', 'ours as well')
  await assert.rejects(own.images.clear('acme/web:1', 'checked'), denied)
  await root.images.clear('acme/web:1', 'over')
  await own.images.quarantine('acme/web:1', 'odd')
  await own.images.clear('acme/web:1', 'not so odd')
})

test("owners cannot end somebody else's quarantine of an index by way of its parts, one that is gone, or a tag that moves", async () => {
  await using registry = await company()
  const [root, own] = [await registry.adminOf('root'), await registry.adminOf('own')]
  const login = `own:${PASSWORDS.own}`
  const index = async (tag: string, digests: string[]) => {
    const manifests = digests.map((digest) => ({ mediaType: MANIFEST_TYPE, digest, size: 1 }))
    const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests })
    const headers = { 'content-type': INDEX_TYPE }
    const { status, headers: answered } = await registry.request('PUT', `/v2/acme/web/manifests/${tag}`, {
      ...{ login, headers, body },
    })
    assert.equal(status, 201)
    return String(answered['docker-content-digest'])
  }
  const { digest } = await registry.push('one', 'one')
  const [inner, other] = [await index('inner', [digest]), (await registry.push('two', 'two')).digest]
  const whole = await index('whole', [inner, other])
  const denied = { code: 'DENIED', message: /somebody else quarantined/ }
  const refuses = async (name: string) => {
    for (const verb of ['release', 'clear'] as const) await assert.rejects(own.images[verb](name, 'x'), denied, name)
  }
  await root.images.quarantine(`acme/web@${digest}`, 'stolen')
  for (const name of ['one', 'inner', 'whole']) await refuses(`acme/web:${name}`)
  await root.images.quarantine('acme/web:whole', 'stolen')
  assert.equal((await registry.request('DELETE', `/v2/acme/web/manifests/${other}`, { login })).status, 202)
  assert.equal((await registry.request('DELETE', `/v2/acme/web/manifests/${digest}`, { login })).status, 202)
  for (const name of [`@${whole}`, `@${inner}`]) await refuses(`acme/web${name}`)
  await assert.rejects(own.images.clear(`acme/web@${other}`, 'x'), denied)
  await registry.push('three', 'moving')
  await own.images.clear('acme/web:moving', 'harmless')
  await root.images.quarantine(`acme/web@${(await registry.push('four', 'moving')).digest}`, 'stolen')
  await refuses('acme/web:moving')
})
