import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { changelogText } from '../../../../../test/kit/debian-mirror.ts'
import { processorTime } from '../../../../../test/kit/processor-time.ts'
import { parseChangelog } from './changelog.ts'

test('entries of a changelog with the CVE ids that each names, once', () => {
  const text = changelogText('openssl', {
    '1:3.0.2-1~deb12u1': 'CVE-2024-0001, (CVE-2024-12345) and CVE-2024-0001 again; XCVE-2024-9 CVE-24-1 cve-2024-0009',
    '1:3.0.1-1': 'Nothing.',
  })
  assert.deepEqual(parseChangelog(text, 'openssl'), [
    { version: '1:3.0.2-1~deb12u1', ids: ['CVE-2024-0001', 'CVE-2024-12345'] },
    { version: '1:3.0.1-1', ids: [] },
  ])
})

test('a changelog of another package, or of the makers of the program, is none; a former name is', () => {
  assert.deepEqual(parseChangelog(changelogText('openssl', { '1': 'CVE-2024-0001' }), 'libressl'), [])
  assert.deepEqual(parseChangelog('Version 3\n=========\n* fixes CVE-2024-0001\n', 'openssl'), [])
  const renamed = `${changelogText('new', { '2': 'x' })}\n${changelogText('old', { '1': 'CVE-2024-0001' })}`
  assert.deepEqual(parseChangelog(renamed, 'new')[1], { version: '1', ids: ['CVE-2024-0001'] })
})

test('whatever a changelog has, reading it ends, in time linear in its length', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseChangelog(`a (1) x; y\n${text}`, 'a')))
  const spent = processorTime()
  parseChangelog(
    `a (1) x\n${'CVE-2024-'.repeat(100_000)}\n${'a'.repeat(500_000)} (\n${'CVE-2024-1'.padEnd(500_000, '1')}`,
    'a',
  )
  assert.ok(spent() < 5_000)
  const many = changelogText('a', Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`${at + 1}.0`, 'x'])))
  assert.equal(parseChangelog(many, 'a').length, 2_000)
})
