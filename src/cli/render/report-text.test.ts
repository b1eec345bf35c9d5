import assert from 'node:assert/strict'
import { test } from 'node:test'
import { summary } from '#trust/report/summary'
import { smallScan, someFinding } from '../../../test/kit/small-scan.ts'
import { policyWords } from './policy-words.ts'
import { reportText } from './report-text.ts'
import { scanText } from './scan-text.ts'

const finding = someFinding('CVE-2024-1', 'high', {
  suppressed: { by: 'exception', reason: 'never called', author: 'user:ann', expires: '2027-01-01' },
})
const result = smallScan({ findings: [finding] })
const scanned = { name: 'team/web:1', result, summary: summary(result) }
const at = Date.parse('2026-11-30T12:00:00Z')
const TIME = /\d{4}-\d\d-\d\dT[\d:]+(?:Z|[+-]\d\d:\d\d)/g
const text = (...args: Parameters<typeof reportText>) => reportText(...args).replaceAll(TIME, 'TIME')

test('an image without a result has a line for why', () => {
  const lines = {
    none: 'not scanned: not an image, or never queued',
    waiting: 'waiting for its scan since TIME; it failed: no space',
    running: 'being scanned; it failed: no space',
    failed: 'its scan failed: no space',
    scanned: 'scanned, but not compared with advisories yet',
  }
  for (const [state, line] of Object.entries(lines)) {
    const image = { state: state as keyof typeof lines, failure: 'no space', queuedAt: at }
    assert.equal(text('team/web:1', image, undefined), `team/web:1: ${line}`)
  }
})

test('a result is told as scans are, with who excepted what and until when, and with what people said of the image', () => {
  const said = { kind: 'quarantined', reason: 'stolen\nkey', author: 'user:eve', at } as const
  const lines = text('team/web:1', { state: 'waiting', queuedAt: at, said }, scanned).split('\n')
  assert.match(lines[0]!, /^team\/web:1: Debian GNU\/Linux 12/)
  assert.deepEqual(lines.slice(-3), [
    '',
    'in quarantine: stolen\\x0akey (user:eve, TIME)',
    'waiting for another scan since TIME',
  ])
  assert.match(
    lines.join('\n'),
    /CVE-2024-1 .* does not count \(exception by user:ann, until 2027-01-01\): never called/,
  )
  assert.equal(text('team/web:1', { state: 'scanned' }, scanned), scanText(scanned), 'nothing to say of the scan')
})

test('what gates say of an image is told, but not where a person overrides them', () => {
  const lines: ['allowed' | 'blocked' | 'wait', string[], string][] = [
    ['allowed', [], 'gate: pulls are allowed'],
    ['allowed', ['old\ndata', 'gaps'], 'gate: pulls are allowed; warning: old\\x0adata; gaps'],
    ['blocked', ['policy 1 of ** blocks it: 1 high'], 'gate: policy 1 of ** blocks it: 1 high'],
    ['wait', ['policy 1 of ** blocks it: why'], 'gate: policy 1 of ** blocks it: why (pulls wait for that)'],
  ]
  const said = { kind: 'released', reason: 'needed', author: 'user:eve', at } as const
  for (const [outcome, reasons, line] of lines) {
    const image = { state: 'scanned', release: { outcome, reasons } } as const
    assert.equal(text('team/web:1', image, scanned), `${scanText(scanned)}\n\n${line}`)
    assert.ok(!text('team/web:1', { ...image, said }, scanned).includes('gate: '))
  }
})

test('what a gate says is told in words, and what it does not say is left out', () => {
  assert.equal(policyWords({ kind: 'gate' }), 'blocks critical')
  const said = policyWords({
    ...{ kind: 'gate', severity: 'high', onlyFixable: true, grace: 7 * 86_400_000, unknown: 'low' },
    ...{ notCovered: 'block', exploited: 'allow', unscanned: { wait: 30_000 }, signers: ['a', 'b'] },
    ...{ stale: 86_400_000, staleAct: 'block', exempt: ['user:ann'] },
  })
  assert.equal(
    said,
    'blocks high and worse; if fixable; after 7d; unrated: low; not covered: block; exploited: allow; unscanned: wait 30s; signed by one of 2 keys; data older than 1d: block; not for user:ann',
  )
  assert.equal(
    policyWords({ kind: 'gate', severity: 'none', unscanned: 'allow', signers: ['a'], stale: 3_600_000 }),
    'blocks no severity; unscanned: allow; signed by a key; data older than 1h: warn',
  )
})
