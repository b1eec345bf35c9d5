import assert from 'node:assert/strict'
import { test } from 'node:test'
import { streamOf } from '#blob'
import { readDebianTracker } from './debian-tracker.ts'
import { createTally } from './tally.ts'

async function read(document: unknown) {
  const tally = createTally()
  const text = typeof document === 'string' ? document : JSON.stringify(document)
  return { advisories: await Array.fromAsync(readDebianTracker(streamOf(Buffer.from(text)), { tally })), tally }
}

const open = [{ events: [{ introduced: '0' }] }]

for (const [title, release, expected] of [
  [
    'a fix',
    { status: 'resolved', fixed_version: '1.2-3+deb12u1', urgency: 'medium' },
    {
      state: 'fixed',
      ranges: [{ events: [{ introduced: '0' }, { fixed: '1.2-3+deb12u1' }] }],
      severity: { level: 'medium', by: 'debian' },
    },
  ],
  ['fixed in version 0: never affected', { status: 'resolved', fixed_version: '0', urgency: 'low' }, undefined],
  ['no fix', { status: 'open', urgency: 'not yet assigned' }, { state: 'not fixed', ranges: open }],
  [
    'unimportant',
    { status: 'open', urgency: 'unimportant' },
    { state: 'not fixed', ranges: open, severity: { level: 'negligible', by: 'debian' } },
  ],
  [
    'a guessed urgency',
    { status: 'open', urgency: 'low**' },
    { state: 'not fixed', ranges: open, severity: { level: 'low', by: 'debian' } },
  ],
  [
    'end of life',
    { status: 'open', urgency: 'end-of-life' },
    { state: 'will not fix', ranges: open, remark: 'the release no longer supports this package' },
  ],
  [
    'ignored',
    { status: 'open', urgency: 'low', nodsa: 'Too intrusive to backport', nodsa_reason: 'ignored' },
    {
      state: 'will not fix',
      ranges: open,
      severity: { level: 'low', by: 'debian' },
      remark: 'Too intrusive to backport',
    },
  ],
  [
    'postponed',
    { status: 'open', urgency: 'low', nodsa: 'Minor issue', nodsa_reason: 'postponed' },
    { state: 'deferred', ranges: open, severity: { level: 'low', by: 'debian' }, remark: 'Minor issue' },
  ],
  [
    'left to a point release',
    { status: 'open', urgency: 'low', nodsa: 'Minor issue', nodsa_reason: '' },
    { state: 'deferred', ranges: open, severity: { level: 'low', by: 'debian' }, remark: 'Minor issue' },
  ],
  [
    'not yet known',
    { status: 'undetermined', urgency: 'not yet assigned' },
    { state: 'under investigation', ranges: open },
  ],
] as const) {
  test(`the tracker's ${title}`, async () => {
    const { advisories, tally } = await read({
      curl: { 'CVE-2024-1': { description: 'A flaw.\nMore', releases: { bookworm: release } } },
    })
    assert.equal(tally.skipped, 0)
    const common = {
      id: 'CVE-2024-1',
      aliases: [],
      ecosystem: 'Debian:12',
      name: 'curl',
      summary: 'A flaw.',
      url: 'https://security-tracker.debian.org/tracker/CVE-2024-1',
      source: 'debian-tracker',
    }
    assert.deepEqual(advisories, expected ? [{ ...common, ...expected }] : [])
  })
}

test('each release is its own ecosystem; those without a number are left out', async () => {
  const release = { status: 'open', urgency: 'low' }
  const { advisories } = await read({
    a: {
      'TEMP-0000000-AB12': { releases: { bullseye: release, trixie: release, sid: release, constructor: release } },
    },
  })
  assert.deepEqual(
    advisories.map(({ id, ecosystem }) => [id, ecosystem]),
    [
      ['TEMP-0000000-AB12', 'Debian:11'],
      ['TEMP-0000000-AB12', 'Debian:13'],
    ],
  )
})

test('a malformed package or issue is skipped and counted, and the others are read', async () => {
  const good = '{"CVE-2024-1":{"releases":{"bookworm":{"status":"open","urgency":"low"}}}}'
  const { advisories, tally } = await read(
    `{"a":${good},"list":[],"broken":{"CVE-2024-1":,"deep":${'['.repeat(5000)}${']'.repeat(5000)},
    "id":{"GHSA-1":{"releases":{}}},"none":{"CVE-2024-1":{}},"status":{"CVE-2024-1":{"releases":{"bookworm":{"status":"?"}}}},"b":${good}}`.replace(
      '"CVE-2024-1":,',
      '"CVE-2024-1":}x,',
    ),
  )
  assert.deepEqual(
    advisories.map(({ name }) => name),
    ['a', 'b'],
  )
  assert.equal(tally.skipped, 6)
})

test('a document that is cut, or is none, is refused', async () => {
  for (const text of ['{"a":{}', '<html></html>', '']) await assert.rejects(read(text), { code: 'INVALID_ARCHIVE' })
})
