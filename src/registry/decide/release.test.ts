import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Digest } from '#spec'
import { decide, type GateFinding, type Release, type ReleaseFacts, type ReleaseGate, type ScanFacts } from './index.ts'

const digest = `sha256:${'a'.repeat(64)}` as Digest
const DAY = 86_400_000

function finding(parts: Partial<GateFinding> = {}): GateFinding {
  return {
    ...{ id: 'CVE-2024-1', aliases: ['GHSA-1'], severity: 'critical', package: 'deb/openssl', version: '1' },
    ...{ fixable: true, exploited: false, knownFor: 0 },
    ...parts,
  }
}

function scanned(findings: GateFinding[], parts: Partial<ScanFacts> = {}): ScanFacts {
  return { status: 'complete', reasons: [], findings, dataAge: 0, ...parts }
}

function judge(gates: Partial<ReleaseGate>[], parts: Partial<ReleaseFacts> = {}): Promise<Release> {
  const stored = gates.map((gate, at) => ({ kind: 'gate' as const, pattern: 'acme/**', id: at + 1, ...gate }))
  return decide('anyone', 'release', {
    ...{ repository: 'acme/web', digest, gates: stored, content: 'image', scan: scanned([]), exceptions: [] },
    isSigned: async () => assert.fail('signatures are not needed'),
    ...parts,
  })
}

const said = (release: Release) =>
  release.outcome === 'allowed' ? 'allowed' : `${release.outcome}: ${release.refusal.message}`

test('a gate blocks by severity, ratings, fixes and exploitation', async () => {
  const table: [string, Partial<ReleaseGate>, Partial<GateFinding>, 'allowed' | 'blocked'][] = [
    ['as bad as it says', { severity: 'high' }, { severity: 'high' }, 'blocked'],
    ['worse', { severity: 'high' }, { severity: 'critical' }, 'blocked'],
    ['less bad', { severity: 'high' }, { severity: 'medium' }, 'allowed'],
    ['critical by default', {}, { severity: 'critical' }, 'blocked'],
    ['critical by default', {}, { severity: 'high' }, 'allowed'],
    ['none by severity', { severity: 'none' }, { severity: 'critical' }, 'allowed'],
    ['not rated counts as medium', { severity: 'medium' }, { severity: 'unknown' }, 'blocked'],
    ['not rated counts as medium', { severity: 'high' }, { severity: 'unknown' }, 'allowed'],
    ['not rated, as critical', { severity: 'critical', unknown: 'critical' }, { severity: 'unknown' }, 'blocked'],
    ['not rated, allowed', { severity: 'low', unknown: 'allow' }, { severity: 'unknown' }, 'allowed'],
    ['not rated, blocked', { severity: 'none', unknown: 'block' }, { severity: 'unknown' }, 'blocked'],
    ['no update ends it', { onlyFixable: true }, { fixable: false }, 'allowed'],
    ['an update ends it', { onlyFixable: true }, {}, 'blocked'],
    ['exploited, however bad', {}, { severity: 'low', exploited: true }, 'blocked'],
    [
      'exploited, without a fix and in its grace',
      { onlyFixable: true, grace: DAY },
      { fixable: false, exploited: true },
      'blocked',
    ],
    ['exploited, allowed', { exploited: 'allow' }, { severity: 'low', exploited: true }, 'allowed'],
    ['exploited, allowed, and critical', { exploited: 'allow' }, { exploited: true }, 'blocked'],
    ['in its grace', { grace: DAY }, { knownFor: DAY - 1 }, 'allowed'],
    ['after its grace', { grace: DAY }, { knownFor: DAY }, 'blocked'],
  ]
  for (const [what, gate, one, expected] of table) {
    const release = await judge([gate], { scan: scanned([finding(one)]) })
    assert.equal(release.outcome, expected, `${what}: ${said(release)}`)
  }
  const inGrace = await judge([{ grace: DAY }], { scan: scanned([finding({ knownFor: DAY - 5 })]) })
  assert.equal(inGrace.until, 5)
})

test('a refusal names the policy, the worst five and where more is said', async () => {
  const findings = [
    ...Array.from({ length: 6 }, (_, at) => finding({ id: `CVE-2024-${at}`, severity: 'critical' })),
    finding({ id: 'CVE-2023-9', severity: 'low', exploited: true }),
    finding({ id: 'CVE-2024-0', package: 'deb/libssl3' }),
  ]
  const release = await judge([{}], { scan: scanned(findings) })
  assert.equal(
    said(release),
    `blocked: policy 1 of acme/** blocks acme/web@${digest}: 6 critical, 1 low: CVE-2023-9, CVE-2024-0, CVE-2024-1, CVE-2024-2, CVE-2024-3 and 2 more`,
  )
  assert.equal(release.outcome === 'blocked' && release.refusal.code, 'IMAGE_BLOCKED')
})

test('what was not looked at, or not wholly, is blocked, waited for or let pass as the gate says', async () => {
  const table: [Partial<ReleaseGate>, Partial<ReleaseFacts>, RegExp][] = [
    [{}, { scan: undefined }, /^wait: .* not scanned yet$/],
    [{ unscanned: 'block' }, { scan: undefined }, /^blocked: .* not scanned yet/],
    [{}, { scan: undefined, pending: 'its scan failed' }, /^wait: .* its scan failed$/],
    [{ unscanned: 'allow' }, { scan: undefined }, /^allowed$/],
    [
      {},
      { scan: scanned([], { status: 'failed', reasons: ['it took too long'] }) },
      /^blocked: .* its scan failed: it took too long/,
    ],
    [{ unscanned: 'block' }, { scan: scanned([], { status: 'failed' }) }, /^blocked/],
    [{ unscanned: 'allow' }, { scan: scanned([], { status: 'failed' }) }, /^allowed$/],
    [{}, { scan: scanned([], { status: 'partial', reasons: ['2 packages'] }) }, /^allowed$/],
    [
      { notCovered: 'block' },
      { scan: scanned([], { status: 'partial', reasons: ['2 packages of ecosystems without data'] }) },
      /^blocked: .* its content is known only in part: 2 packages/,
    ],
    [{}, { content: 'artifact' }, /^allowed$/],
    [{ notCovered: 'block' }, { content: 'artifact', scan: undefined }, /^blocked: .* it is not an image/],
    [{ notCovered: 'block', unscanned: 'block' }, { content: 'proof', scan: undefined }, /^allowed$/],
    [{ stale: DAY }, { scan: scanned([], { dataAge: 2 * DAY }) }, /^allowed$/],
    [
      { stale: DAY, staleAct: 'block' },
      { scan: scanned([], { dataAge: 2 * DAY }) },
      /^blocked: .* the vulnerability data is 2 days old/,
    ],
    [{ stale: DAY, staleAct: 'block' }, { scan: scanned([], { dataAge: DAY - 7 }) }, /^allowed$/],
  ]
  for (const [gate, facts, expected] of table)
    assert.match(said(await judge([gate], facts)), expected, JSON.stringify(gate))
  const wait = await judge([{}], { scan: undefined })
  assert.equal(wait.outcome === 'wait' && wait.wait, 30_000)
  assert.equal((await judge([{ stale: DAY }], { scan: scanned([], { dataAge: DAY - 7 }) })).until, 7)
  const warned = await judge([{}], { scan: scanned([], { status: 'partial', reasons: ['2 packages'] }) })
  assert.deepEqual(warned.outcome === 'allowed' && warned.warnings, ['its content is known only in part: 2 packages'])
})

test('exceptions are for one vulnerability, by any of its ids, in their package and repositories, until they expire', async () => {
  const exception = { vulnerability: 'GHSA-1', pattern: 'acme/*', expiresIn: 9 }
  const scan = scanned([finding()])
  const outcome = async (one: object) => (await judge([{}], { scan, exceptions: [{ ...exception, ...one }] })).outcome
  assert.equal(await outcome({}), 'allowed')
  assert.equal(await outcome({ vulnerability: 'CVE-2024-1' }), 'allowed')
  assert.equal(await outcome({ vulnerability: 'CVE-2024-11' }), 'blocked')
  assert.equal(await outcome({ package: 'deb/openssl' }), 'allowed')
  assert.equal(await outcome({ package: 'deb/zlib' }), 'blocked')
  const built = { ...finding(), package: 'deb/libssl3', source: 'deb/openssl' }
  const source = { exceptions: [{ ...exception, package: 'deb/openssl' }] }
  assert.equal((await judge([{}], { scan: scanned([built]), ...source })).outcome, 'allowed')
  assert.equal(await outcome({ pattern: 'other/**' }), 'blocked')
  assert.equal((await judge([{}], { scan, exceptions: [exception] })).until, 9)
})

test('each gate that matches must let pass; those of other repositories do not count', async () => {
  const scan = scanned([finding({ severity: 'high' })])
  assert.equal((await judge([{}, { severity: 'high' }], { scan })).outcome, 'blocked')
  assert.equal((await judge([{}, { severity: 'high', pattern: 'other/**' }], { scan })).outcome, 'allowed')
  assert.equal((await judge([], { scan: undefined })).outcome, 'allowed')
  const patient = await judge([{}, { unscanned: { wait: 60_000 } }], { scan: undefined })
  assert.equal(patient.outcome === 'wait' && patient.wait, 60_000)
  assert.equal((await judge([{}, { unscanned: 'block' }], { scan: undefined })).outcome, 'blocked')
})

test('of several refusals the one is told that neither a scan nor a signature ends', async () => {
  const unsigned = { isSigned: async () => false }
  const [signers, severity, unscanned] = [{ signers: ['KEY'] }, {}, { unscanned: 'block' as const }]
  const flags = (release: Release) =>
    release.outcome !== 'allowed' && [
      release.refusal.details['policy'],
      release.refusal.details['isUnsigned'],
      release.refusal.details['isUnscanned'],
    ]
  const scan = scanned([finding()])
  const signersOnly = { ...signers, severity: 'none' as const }
  assert.deepEqual(flags(await judge([signersOnly, severity], { ...unsigned, scan })), [2, false, false])
  assert.deepEqual(flags(await judge([severity, signersOnly], { ...unsigned, scan })), [1, false, false])
  assert.deepEqual(flags(await judge([signersOnly], { ...unsigned, scan })), [1, true, false])
  const lax = { ...signers, unscanned: 'allow' as const }
  assert.deepEqual(flags(await judge([lax, unscanned], { ...unsigned, scan: undefined })), [2, false, false])
  assert.deepEqual(flags(await judge([unscanned, {}], { scan: undefined })), [1, false, true])
  const waits = await judge([lax, {}], { ...unsigned, scan: undefined })
  assert.equal(waits.outcome, 'blocked', 'a scan does not end it')
})

test('quarantine blocks without any gate, a release passes all, and exempt accounts pass gates alone', async () => {
  const scan = scanned([finding()])
  const quarantined = { kind: 'quarantined' as const, reason: 'it mines coins' }
  assert.match(
    said(await judge([], { state: quarantined })),
    /^blocked: acme\/web@sha256:a+ is in quarantine: it mines coins$/,
  )
  assert.equal((await judge([{ exempt: ['user:ann'] }], { state: quarantined, actor: 'user:ann' })).outcome, 'blocked')
  const released = await judge([{}], { scan, state: { kind: 'released', reason: 'checked by hand' } })
  assert.equal(released.outcome, 'allowed')
  const gate = { exempt: ['user:ann'] }
  const exempt = await judge([gate], { scan, actor: 'user:ann' })
  assert.equal(exempt.outcome === 'allowed' && exempt.isExempt, true)
  assert.equal((await judge([gate], { scan, actor: 'user:bob' })).outcome, 'blocked')
  assert.equal((await judge([gate], { scan })).outcome, 'blocked')
  assert.equal((await judge([gate, {}], { scan, actor: 'user:ann' })).outcome, 'blocked', 'the other gate names nobody')
})

test('signatures are asked for last, and by gates that want them', async () => {
  const gate = { signers: ['KEY'] }
  const asked: (readonly string[])[] = []
  const answer = (isSigned: boolean) => ({
    async isSigned(keys: readonly string[]) {
      asked.push(keys)
      return isSigned
    },
  })
  assert.equal((await judge([gate], answer(true))).outcome, 'allowed')
  const unsigned = await judge([gate], answer(false))
  assert.match(said(unsigned), /^blocked: .* none of the required keys has signed it/)
  assert.ok(unsigned.until < 60_000, 'a signature may come at any time')
  assert.equal((await judge([gate], { ...answer(true), scan: scanned([finding()]) })).outcome, 'blocked')
  assert.deepEqual(asked, [['KEY'], ['KEY']])
  assert.equal(
    (await judge([{ ...gate, notCovered: 'allow' }], { ...answer(false), content: 'artifact' })).outcome,
    'blocked',
  )
})
